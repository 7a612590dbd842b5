// Chance that is the same in each run: everything follows from the seed (mulberry32).

class Random {
  constructor(seed) { this.state = seed >>> 0; }

  // A number from 0 to below 1.
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  // A whole number from `low` to `high`.
  whole(low, high) { return low + Math.floor(this.next() * (high - low + 1)); }

  chance(percent) { return this.next() * 100 < percent; }

  pick(list) { return list[this.whole(0, list.length - 1)]; }
}

export { Random };
