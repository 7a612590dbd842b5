// Values for a JSON Schema: `right` makes one that it means to accept, `spoiled` changes a value in a few
// places, most of them by little. Neither promises anything: a validator is asked what they are.

import { Random } from './random.js';

const CHARACTERS = ['a', 'b', 'c', 'x', 'Z', '0', '7', ' ', '-', '_', '.', ':', '/', '@', '"', '\\', '\n', 'ä', '€', '🔧', '\u0000'];

// Texts for each pattern of spec/support/apps/differential/random_schema.lua.
const OF_PATTERN = {
  '^[a-z]+$': ['a', 'abc', 'xyz'],
  '^[a-z][a-z0-9_]*$': ['a', 'a_1', 'user_name'],
  '[0-9]{2,4}': ['12', 'x345y', '000000'],
  '^(?:red|green|blue)$': ['red', 'green', 'blue'],
  '^\\d{3}-\\d{4}$': ['555-1234', '000-0000'],
  '^\\p{Lu}\\p{L}*$': ['A', 'Äpfel', 'Żółw', 'Éa'],
  'a.c': ['abc', 'xa🔧cx', 'a c'],
  '^\\w+@\\w+$': ['a@b', 'me_1@here'],
  '^(?!x).*$': ['', 'ax', 'y'],
  '^[^ ]*$': ['', 'ab', '🔧'],
};

const OF_FORMAT = {
  email: ['a@example.org', 'first.last+tag@mail.example.org', "o'hara@a-b.co"],
  uri: ['https://example.org', 'http://a.b:8080/c/d?e=f#g', 'ws://[::1]:80/x', 'ftp://u:p@h/%20'],
  uuid: ['123e4567-e89b-12d3-a456-426614174000', 'FFFFFFFF-0000-4000-8000-ffffffffffff'],
  date: ['2025-05-11', '2024-02-29', '2000-02-29', '1999-12-31'],
  time: ['14:30:00Z', '00:00:00.123+02:00', '23:59:60Z', '23:59:59-11:30'],
  'date-time': ['2025-05-11T14:30:00Z', '2024-02-29T00:00:00.5+01:00', '1998-12-31T23:59:60Z'],
  hostname: ['localhost', 'example.org', 'a-b.c1.example', 'xn--bcher-kva.example'],
  ipv4: ['127.0.0.1', '255.255.255.255', '0.0.0.0', '10.1.2.3'],
  ipv6: ['::1', '::', '2001:db8::8a2e:370:7334', '::ffff:192.0.2.1', '1:2:3:4:5:6:7:8', 'fe80::1'],
};

const WILD = [null, true, false, 0, 1, -1, 2.5, 1e3, 1e15, '', 'a', 'abc', '12', 'ä', '🔧🔧', [], {}, [1], [1, 1], ['a', 'a'],
              [[]], { a: 1 }, { kind: 'text' }, { id: 1 }, { hasOwnProperty: 'a' }, { children: [] }, { next: null }];

// A number as somebody would write it: 0.3, not 0.30000000000000004.
const written = (number) => Number(number.toFixed(3));

class Values {
  constructor(root, seed) {
    this.root = root;
    this.random = new Random(seed);
  }

  wild() { return structuredClone(this.random.pick(WILD)); }

  right(schema = this.root, depth = 0) {
    if (schema === true) return this.wild();
    if (schema.$ref) return this.right(this.root.$defs[schema.$ref.slice('#/$defs/'.length)], depth + 1);
    if ('const' in schema) return schema.const;
    if (schema.enum) return this.random.pick(schema.enum);
    if (schema.anyOf) return this.right(this.branch(schema.anyOf, depth), depth);
    if (schema.oneOf) return this.right(this.random.pick(schema.oneOf), depth);
    if (!schema.type) return this.wild();
    return this.ofType(schema, depth);
  }

  // Deep down null is taken where it is to be had, so that there is an end.
  branch(branches, depth) {
    const end = branches.find((one) => one.type === 'null');
    return depth > 6 && end ? end : this.random.pick(branches);
  }

  ofType(schema, depth) {
    const isNull = Array.isArray(schema.type) && this.random.chance(depth > 6 ? 100 : 20);
    const type = isNull ? 'null' : [schema.type].flat()[0];
    switch (type) {
    case 'null': return null;
    case 'boolean': return this.random.chance(50);
    case 'integer': return this.number(schema, 1);
    case 'number': return this.number(schema, this.random.pick([1, 0.5, 0.125]));
    case 'string': return this.string(schema);
    case 'array': return this.array(schema, depth);
    default: return schema.properties ? this.object(schema, depth) : this.map(schema, depth);
    }
  }

  // Limits are tried often: that is where mistakes are.
  number(schema, unit) {
    const step = schema.multipleOf || unit;
    const least = schema.minimum ?? schema.exclusiveMinimum ?? (schema.maximum ?? schema.exclusiveMaximum ?? 20) - 40;
    const most = schema.maximum ?? schema.exclusiveMaximum ?? least + 40;
    const [low, high] = [Math.ceil(least / step), Math.floor(most / step)];
    const steps = this.random.chance(30) ? this.random.pick([low, high, low + 1, high - 1]) : this.random.whole(low, high);
    return written(steps * step);
  }

  string(schema) {
    if (schema.format) return this.random.pick(OF_FORMAT[schema.format]);
    if (schema.pattern) return this.random.pick(OF_PATTERN[schema.pattern]);
    const min = schema.minLength ?? 0;
    return this.text(this.random.whole(min, schema.maxLength ?? min + 5));
  }

  text(length) {
    return Array.from({ length }, () => this.random.pick(CHARACTERS)).join('');
  }

  count(min, max, depth) {
    return depth > 4 ? min : this.random.whole(min, Math.min(max ?? min + 3, min + 3));
  }

  array(schema, depth) {
    const wanted = this.count(schema.minItems ?? 0, schema.maxItems, depth);
    const items = [];
    const seen = new Set();
    for (let tries = 0; items.length < wanted && tries < 10 * wanted; tries++) {
      const item = this.right(schema.items ?? true, depth + 1);
      const text = JSON.stringify(item);
      if (schema.uniqueItems && seen.has(text)) continue;
      seen.add(text);
      items.push(item);
    }
    return items;
  }

  object(schema, depth) {
    const object = {};
    for (const [name, property] of Object.entries(schema.properties)) {
      const isThere = (schema.required ?? []).includes(name) || this.random.chance(depth > 4 ? 0 : 60);
      if (isThere) object[name] = this.right(property, depth + 1);
    }
    if (schema.additionalProperties !== false && this.random.chance(30))
      object[`more_${this.random.whole(1, 9)}`] = this.wild();
    return object;
  }

  map(schema, depth) {
    const wanted = this.count(schema.minProperties ?? 0, schema.maxProperties, depth);
    const map = {};
    for (let tries = 0; Object.keys(map).length < wanted && tries < 10 * wanted; tries++) {
      const key = schema.propertyNames ? this.right(schema.propertyNames, depth) : this.text(this.random.whole(1, 4));
      map[key] = this.right(schema.additionalProperties ?? true, depth + 1);
    }
    return map;
  }

  // ---- what is wrong ----

  // A copy of `value` that was changed in one to three places.
  spoiled(value) {
    let spoiled = JSON.parse(JSON.stringify(value));
    for (let changes = this.random.pick([1, 1, 1, 2, 3]); changes > 0; changes--) spoiled = this.changed(spoiled);
    return spoiled;
  }

  changed(value) {
    const parts = value !== null && typeof value === 'object' ? Object.keys(value) : [];
    if (parts.length > 0 && this.random.chance(70)) {
      const key = this.random.pick(parts);
      value[key] = this.changed(value[key]);
      return value;
    }
    if (this.random.chance(20)) return this.wild();
    if (typeof value === 'number') return this.changedNumber(value);
    if (typeof value === 'string') return this.changedText(value);
    if (Array.isArray(value)) return this.changedList(value);
    if (value !== null && typeof value === 'object') return this.changedObject(value);
    return this.wild();
  }

  changedNumber(value) {
    const numbers = [value + 1, value - 1, value + 0.5, -value, value * 10, value + 50, value - 50];
    return this.random.pick([...numbers.map(written), String(value)]);
  }

  changedText(value) {
    const characters = [...value];
    const at = this.random.whole(0, characters.length);
    const kind = this.random.whole(0, 4);
    if (kind === 0) characters.splice(at, 1);
    else if (kind === 1) characters.splice(at, 0, this.random.pick(CHARACTERS));
    else if (kind === 2) characters.splice(at, 1, this.random.pick(CHARACTERS));
    else if (kind === 3) return value + this.text(this.random.whole(1, 12));
    else return characters.slice(0, at).join('');
    return characters.join('');
  }

  changedList(list) {
    const at = this.random.whole(0, list.length);
    const kind = this.random.whole(0, 3);
    if (kind === 0 && list.length > 0) list.splice(at, 1);
    else if (kind === 1) list.push(this.wild());
    else if (list.length > 0) list.splice(at, 0, structuredClone(this.random.pick(list)));
    else return {};
    return list;
  }

  changedObject(object) {
    const names = Object.keys(object);
    const kind = this.random.whole(0, 3);
    if (kind === 0 || names.length === 0) {
      object[this.random.pick(['extra', 'id', 'kind', 'a', 'Id'])] = this.wild();
      return object;
    }
    const name = this.random.pick(names);
    if (kind === 1) object[this.changedText(name)] = object[name];
    if (kind < 3) delete object[name];
    return kind < 3 ? object : Object.values(object);
  }
}

export { Values };
