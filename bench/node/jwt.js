// What bench/jwt/jwt.c measures, with jose and with jsonwebtoken: "PACKAGE ALG NANOSECONDS" lines.
//
//     node jwt.js FOLDER ROUNDS

import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';

const ROUND_NS = 200e6;
const CALLS_MIN = 100;
const RULES = { audience: 'chat', issuer: 'https://login.test' };
const [folder, rounds] = [process.argv[2], Number(process.argv[3])];

const read = (alg, kind) => fs.readFileSync(path.join(folder, `${alg}.${kind}`), 'utf8').trim();

function cpuNs() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

async function measure(name, alg, verify) {
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    const began = cpuNs();
    let calls = 0;
    let taken = 0;
    while (taken < ROUND_NS) {
      for (let i = 0; i < CALLS_MIN; i++) await verify();
      calls += CALLS_MIN;
      taken = cpuNs() - began;
    }
    least = Math.min(least, taken / calls);
  }
  console.log(`${name} ${alg} ${least.toFixed(0)}`);
}

for (const alg of ['HS256', 'RS256', 'ES256', 'EdDSA']) {
  const token = read(alg, 'token');
  const text = read(alg, 'key');
  const key = alg === 'HS256' ? crypto.createSecretKey(Buffer.from(text)) : crypto.createPublicKey(text);
  await measure('jose', alg, async () => {
    const { payload } = await jwtVerify(token, key, { ...RULES, algorithms: [alg] });
    if (payload.sub !== 'ada') throw new Error('not verified');
  });
  if (alg === 'EdDSA') continue; // jsonwebtoken has none
  await measure('jsonwebtoken', alg, () => {
    if (jsonwebtoken.verify(token, key, { ...RULES, algorithms: [alg] }).sub !== 'ada') throw new Error('not verified');
  });
}
