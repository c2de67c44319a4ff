<?php

namespace App;

class Prices
{
    public static function price(int $count): int
    {
        return $count * 3;
    }

    public static function rate(): int
    {
        return 7;
    }
}
