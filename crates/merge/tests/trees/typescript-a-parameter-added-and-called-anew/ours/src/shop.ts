export function price(count: number, currency: string): number {
  const each = 3;
  return count * each;
}

export interface Item {
  count: number;
}
