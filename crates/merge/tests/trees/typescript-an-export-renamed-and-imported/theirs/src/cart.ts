import { price } from "./shop";

export const total = (counts: number[]) => counts.map((count) => price(count));
