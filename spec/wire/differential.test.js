// The validator beside another one: random schemas of the application, random values, and ajv as the judge
// of the JSON Schema that tidegate publishes for each. Verdicts are equal but for DIFFERENCES.
//
// DIFFERENTIAL_PAIRS is how many pairs of schema and value; DIFFERENTIAL_SEED chooses others.

import assert from 'node:assert';
import { after, before, describe, it } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { Judge } from '../support/judge.js';
import { Values } from '../support/random_values.js';
import { Server } from '../support/server.js';

const SCHEMAS = 300; // as in the application
const PAIRS = Number(process.env.DIFFERENTIAL_PAIRS || 20000);
const SEED = Number(process.env.DIFFERENTIAL_SEED || 1);

// Of 20,000 pairs 500 accepted and 500 refused ones have each keyword.
const LEAST_OF_EACH = Math.floor(PAIRS / 40);

const KEYWORDS = [
  'type:null', 'type:boolean', 'type:integer', 'type:number', 'type:string', 'type:array', 'type:object', 'type:nullable',
  'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'pattern',
  'format:email', 'format:uri', 'format:uuid', 'format:date', 'format:time', 'format:date-time', 'format:hostname',
  'format:ipv4', 'format:ipv6', 'const', 'enum', 'items', 'minItems', 'maxItems', 'uniqueItems', 'properties', 'required',
  'additionalProperties', 'additionalProperties:false', 'propertyNames', 'minProperties', 'maxProperties', 'anyOf', 'oneOf',
  '$ref',
];

// Where the verdicts are meant to differ. `touches`: whether a string or number of a value may be concerned.
// Each has values (as text) that tidegate takes (`ours`) and that ajv takes (`theirs`), and no other does.
const DIFFERENCES = [
  { why: 'whole numbers have 64 bits; one with more digits is no JSON for us', action: 'integer', theirs: ['9223372036854775808', '-1e19'],
    touches: (value) => Math.abs(value) >= 2 ** 63 },
  { why: 'multiples are exact but for what rounding does to the two numbers; ajv is asked for 9 digits', action: 'tenths',
    theirs: ['0.30000000001'], touches: () => false },
  { why: 'a UUID stands alone', action: 'uuid', theirs: ['"urn:uuid:123e4567-e89b-12d3-a456-426614174000"'],
    touches: (value) => /^urn:uuid:/i.test(value) },
  { why: 'a URL has a host, and a port of 16 bits', action: 'url',
    theirs: ['"mailto:a@example.org"', '"urn:a:b"', '"file:///etc/hosts"', '"http://:80"', '"http://a:65536/"', '"http://[v1.a]/"'],
    touches: (value) => /^[a-z][a-z0-9+.-]*:/i.test(value)
                        && !/^[^:]*:\/\/([^@/?#]*@)?([^@/?#:[\]]+|\[[0-9a-f:.]+\])(:\d{0,4})?([/?#]|$)/i.test(value) },
  { why: 'the offset of a time has a colon and minutes (RFC 3339)', action: 'time', theirs: ['"14:30:00+0200"', '"14:30:00+02"'],
    touches: (value) => /\d:\d\d(\.\d+)?[+-]\d\d(\d\d)?$/.test(value) },
  { why: 'a T stands between date and time (RFC 3339)', action: 'datetime', theirs: ['"2025-05-11 14:30:00Z"'],
    touches: (value) => /^\d{4}-\d\d-\d\d\s\d\d:/.test(value) },
  { why: 'the parts of an address have their greatest lengths (RFC 5321)', action: 'email',
    theirs: [`"${'a'.repeat(65)}@example.org"`, `"a@${'b'.repeat(64)}.org"`], touches: (value) => value.length > 64 },
  { why: 'coercion is our own: a marker says so', action: 'coerced', ours: ['"12"'], touches: () => false },
  { why: 'trimming is our own: a marker says so', action: 'trimmed', ours: ['"  abc  "'], touches: () => false },
  { why: 'items are equal when a handler sees them so: without what is not declared', action: 'unique',
    theirs: ['[{"id":1,"a":1},{"id":1,"a":2}]'], touches: () => false },
  { why: 'recursion ends at max_depth', action: 'nested', theirs: ['[[[[[[[[]]]]]]]]'], touches: () => false },
  { why: 'a :check is a function: a marker says that there is one', action: 'checked', theirs: ['"foul"'], touches: () => false },
];

function compiler() {
  const ajv = new Ajv({ strict: false, multipleOfPrecision: 9, ownProperties: true });
  addFormats(ajv);
  return ajv;
}

// The keywords of a schema, those of its parts and definitions included.
function keywordsOf(schema, found = new Set()) {
  if (schema === null || typeof schema !== 'object') return found;
  for (const [word, value] of Object.entries(schema)) {
    if (word === 'type' && Array.isArray(value)) found.add('type:nullable').add(`type:${value[0]}`);
    else if (word === 'type' || word === 'format') found.add(`${word}:${value}`);
    else found.add(word === 'additionalProperties' && value === false ? `${word}:false` : word);
    if (['items', 'additionalProperties', 'propertyNames'].includes(word)) keywordsOf(value, found);
    if (['properties', '$defs', 'anyOf', 'oneOf'].includes(word)) Object.values(value).forEach((part) => keywordsOf(part, found));
  }
  return found;
}

// The strings and numbers of a value, the names of its members included.
function scalarsOf(value) {
  if (value === null || typeof value !== 'object') return [value];
  return [...(Array.isArray(value) ? [] : Object.keys(value)), ...Object.values(value).flatMap(scalarsOf)];
}

const isIntended = (value) => scalarsOf(value).some((scalar) => DIFFERENCES.some(({ touches, action }) =>
  (typeof scalar === 'string') === (action !== 'integer') && touches(scalar)));

// What is wrong with the items of an error about `payload`; nothing when all is well.
function misplaced(frame, payload) {
  if (frame.action !== 'error' || !Array.isArray(frame.payload) || frame.payload.length === 0) return 'no list of errors';
  for (const item of frame.payload) {
    const { type, loc, msg } = item;
    if (Object.keys(item).join() !== 'type,loc,msg' || !/^[a-z0-9_]+$/.test(type) || typeof msg !== 'string' || msg === '')
      return `not an error: ${JSON.stringify(item)}`;
    if (type === 'too_many_errors') continue;
    if (!isPlace(loc, payload, type === 'missing' || type === 'union_tag_not_found'))
      return `there is no such place: ${JSON.stringify(item)}`;
  }
  return null;
}

// Whether `loc` leads to a part of the message, or, when something is missing, to where it should be.
function isPlace(loc, payload, mayBeMissing) {
  let value = { payload };
  return loc[0] === 'payload' && loc.every((step, index) => {
    const isParent = value !== null && typeof value === 'object';
    const isThere = isParent && Object.hasOwn(value, step) && (typeof step === 'number') === Array.isArray(value);
    value = isThere ? value[step] : undefined;
    return isThere || (mayBeMissing && isParent && index === loc.length - 1);
  });
}

describe('the validator beside ajv', () => {
  const schemas = []; // { action, schema, isRight }
  let server;
  let judge;
  let pairs; // { action, value, expected, frame }

  before(async () => {
    server = await Server.start('differential');
    judge = await Judge.open(server.port);
    for (let number = 1; number <= SCHEMAS; number++) {
      const action = `random_${number}`;
      const schema = await judge.schema(action);
      schemas.push({ action, schema, isRight: compiler().compile(schema), keywords: [...keywordsOf(schema)] });
    }
    pairs = makePairs();
    const frames = await judge.askAll(pairs);
    frames.forEach((frame, index) => { pairs[index].frame = frame; });
  });

  after(async () => {
    judge?.close();
    await server?.stop();
  });

  function makePairs() {
    const makers = schemas.map(({ schema }, index) => new Values(schema, SEED * 1000 + index));
    return Array.from({ length: PAIRS }, (_, index) => {
      const { action, isRight } = schemas[index % SCHEMAS];
      const maker = makers[index % SCHEMAS];
      const right = maker.right();
      const value = maker.random.chance(38) ? right : maker.spoiled(right);
      return { action, value, expected: isRight(value) };
    });
  }

  it('publishes schemas of the draft, and all of its own keywords are ours', () => {
    const ajv = compiler();
    for (const { action, schema, keywords } of schemas) {
      assert.ok(ajv.validateSchema(schema), `${action}: ${ajv.errorsText(ajv.errors)}`);
      const known = new Set([...KEYWORDS, '$schema', '$defs', 'title', 'default', 'x-tidegate-tag', 'x-tidegate-additional']);
      assert.deepStrictEqual(keywords.filter((word) => !known.has(word)), [], action);
    }
  });

  it('judges every pair alike', () => {
    const differing = pairs.filter(({ frame, expected }) => (frame.action === 'ok') !== expected);
    const unexpected = differing.filter(({ value }) => !isIntended(value));
    const shown = unexpected.slice(0, 8).map(({ action, value, expected, frame }) => JSON.stringify(
      { schema: schemas.find((one) => one.action === action).schema, value, ajv: expected, tidegate: frame.payload ?? frame.action }));
    assert.strictEqual(unexpected.length, 0, `${unexpected.length} pairs:\n${shown.join('\n')}`);
    assert.ok(differing.length < PAIRS / 100, `${differing.length} pairs differ as intended`);
  });

  it('says of every refused value what is wrong and where', () => {
    for (const { action, value, frame } of pairs) {
      if (frame.action === 'ok') continue;
      const wrong = misplaced(frame, value);
      assert.ok(!wrong, `${action} ${JSON.stringify(value)}: ${wrong}`);
    }
  });

  it('has enough pairs of each verdict, for each keyword too', (test) => {
    const accepted = pairs.filter(({ expected }) => expected).length;
    assert.ok(accepted >= PAIRS / 3 && accepted <= (PAIRS * 2) / 3, `${accepted} of ${PAIRS} are right`);
    const counts = new Map(KEYWORDS.map((word) => [word, { true: 0, false: 0 }]));
    pairs.forEach(({ expected }, index) => {
      for (const word of schemas[index % SCHEMAS].keywords) if (counts.has(word)) counts.get(word)[expected]++;
    });
    const short = [...counts].filter(([, count]) => Math.min(count.true, count.false) < LEAST_OF_EACH)
      .map(([word, count]) => `${word}: ${count.true} accepted, ${count.false} refused`);
    assert.deepStrictEqual(short, [], `fewer than ${LEAST_OF_EACH}`);
    test.diagnostic(`${PAIRS} pairs of ${SCHEMAS} schemas, ${accepted} right`);
  });

  for (const { why, action, ours = [], theirs = [] } of DIFFERENCES)
    it(`differs on purpose: ${why}`, async () => {
      const isRight = compiler().compile(await judge.schema(action));
      for (const [texts, isOurs] of [[ours, true], [theirs, false]])
        for (const text of texts) {
          assert.strictEqual(isRight(JSON.parse(text)), !isOurs, `ajv: ${text}`);
          const frame = await judge.ask(action, null, text);
          assert.strictEqual(frame.action, isOurs ? 'ok' : 'error', text);
          if (!isOurs && frame.payload[0].type !== 'json_invalid')
            assert.strictEqual(misplaced(frame, JSON.parse(text)), null);
        }
    });

  it('leaves the connection as it was', async () => {
    assert.strictEqual((await judge.ask('uuid', '123e4567-e89b-12d3-a456-426614174000')).action, 'ok');
  });
});
