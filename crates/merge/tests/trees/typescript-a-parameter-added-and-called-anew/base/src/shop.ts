export function price(count: number): number {
  const each = 3;
  return count * each;
}

export interface Item {
  count: number;
}
