import { price } from "./other";

export const total = price(2);
