import { price } from "./shop";

export const total = price(2);
