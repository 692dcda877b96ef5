// What browsers and Chart.js have and Debian's TypeScript does not know yet.

interface Array<T> {
  findLast(predicate: (value: T, index: number) => boolean): T | undefined;
}

declare var Chart: any;
