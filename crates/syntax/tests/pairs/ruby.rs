//! Ruby.

use super::{Suite, decoy, hit};

pub(super) static SUITE: Suite = Suite { name: "Ruby", base: BASE, cases: CASES };

const BASE: &[(&str, &str)] = &[
    (
        "lib/shop/store.rb",
        r#"require_relative "cache"

module Shop
  class Base
    def close
      log("closed")
    end

    def log(text)
      puts text
    end
  end

  class Store < Base
    LIMIT = 10

    attr_reader :path

    def initialize(path)
      @path = path
      @cache = Cache.new(5)
    end

    def get(id)
      @cache.find(id)
    end

    def put(id, value, ttl: 60)
      @cache.keep(id, value, ttl)
      value
    end

    def self.open(path)
      new(path)
    end
  end
end
"#,
    ),
    (
        "lib/shop/cache.rb",
        "module Shop\n  class Cache\n    def initialize(size)\n      @size = size\n    end\n\n    def find(id)\n      id + @size\n    end\n\n    def keep(id, value, ttl)\n      [id, value, ttl]\n    end\n\n    def close\n      @size = 0\n    end\n  end\nend\n",
    ),
    (
        "lib/shop/text.rb",
        "module Shop\n  module Text\n    def self.clean(text)\n      trimmed = text.strip\n      trimmed.downcase\n    end\n  end\nend\n\ndef shout(text)\n  text.upcase + \"!\"\nend\n",
    ),
    (
        "bin/app.rb",
        "require_relative \"../lib/shop/store\"\nrequire_relative \"../lib/shop/text\"\n\ndef main\n  store = Shop::Store.new(\"x\")\n  store\nend\n",
    ),
];

const CASES: &[super::Case] = &[
    hit(
        "a parameter is added; a value made on the spot has the method",
        "Shop.Store.get",
        &[("lib/shop/store.rb", "def get(id)", "def get(id, region)")],
        &[("bin/app.rb", "  store\nend", "  store.get(1)\nend")],
    ),
    hit(
        "a module's function is renamed",
        "Shop.Text.clean",
        &[("lib/shop/text.rb", "def self.clean(", "def self.tidy(")],
        &[("bin/app.rb", "  store\nend", "  Shop::Text.clean(\"a\")\nend")],
    ),
    hit(
        "a constructor takes more",
        "Shop.Store.initialize",
        &[("lib/shop/store.rb", "def initialize(path)", "def initialize(path, mode)")],
        &[("bin/other.rb", "", "class Other\n  def make\n    Shop::Store.new(\"y\")\n  end\nend")],
    ),
    hit(
        "self calls a method that went",
        "Shop.Store.put",
        &[(
            "lib/shop/store.rb",
            "    def put(id, value, ttl: 60)\n      @cache.keep(id, value, ttl)\n      value\n    end\n",
            "",
        )],
        &[(
            "lib/shop/store.rb",
            "    def self.open(path)",
            "    def fill\n      put(1, \"a\")\n    end\n\n    def self.open(path)",
        )],
    ),
    hit(
        "an inherited method changes",
        "Shop.Base.log",
        &[("lib/shop/store.rb", "def log(text)", "def log(level, text)")],
        &[("lib/shop/store.rb", "      @cache.find(id)", "      log(\"get\")\n      @cache.find(id)")],
    ),
    hit(
        "an attribute's method changes",
        "Shop.Cache.keep",
        &[("lib/shop/cache.rb", "def keep(id, value, ttl)", "def keep(id, value)")],
        &[(
            "lib/shop/store.rb",
            "    def self.open(path)",
            "    def twice(id)\n      @cache.keep(id, 1, 2)\n    end\n\n    def self.open(path)",
        )],
    ),
    hit(
        "a keyword is renamed",
        "Shop.Store.put",
        &[("lib/shop/store.rb", "def put(id, value, ttl: 60)", "def put(id, value, seconds: 60)")],
        &[("bin/app.rb", "  store\nend", "  store.put(1, \"a\", ttl: 5)\nend")],
    ),
    hit(
        "a constant goes",
        "Shop.Store.LIMIT",
        &[("lib/shop/store.rb", "    LIMIT = 10\n", "")],
        &[("bin/app.rb", "  store\nend", "  Shop::Store::LIMIT + 1\nend")],
    ),
    hit(
        "a class is renamed",
        "Shop.Cache",
        &[("lib/shop/cache.rb", "class Cache", "class Memory"), ("lib/shop/store.rb", "Cache.new(5)", "Memory.new(5)")],
        &[(
            "lib/shop/other.rb",
            "",
            "module Shop\n  class Other\n    def make\n      Cache.new(1)\n    end\n  end\nend",
        )],
    ),
    hit(
        "a function of the top takes more",
        "shout",
        &[("lib/shop/text.rb", "def shout(text)", "def shout(text, times)")],
        &[("bin/app.rb", "  store\nend", "  shout(\"a\")\nend")],
    ),
    decoy(
        "another class has a method of that name",
        &[("lib/shop/store.rb", "    def close\n", "    def close(force)\n")],
        &[("bin/app.rb", "  store\nend", "  cache = Shop::Cache.new(1)\n  cache.close\nend")],
    ),
    decoy(
        "another module has a function of that name",
        &[("lib/shop/text.rb", "def self.clean(text)", "def self.clean(text, deep)")],
        &[("bin/other.rb", "", "module Wash\n  def self.clean(text)\n    text\n  end\nend\n\nWash.clean(\"a\")")],
    ),
    decoy(
        "the library has the method",
        &[("lib/shop/cache.rb", "def find(id)", "def find(id, depth)")],
        &[("bin/app.rb", "  store\nend", "  [1, 2].find { |one| one > 1 }\nend")],
    ),
    decoy(
        "a local variable of that name",
        &[("lib/shop/text.rb", "def shout(text)", "def shout(text, times)")],
        &[("bin/app.rb", "  store\nend", "  shout = 1\n  shout + 1\nend")],
    ),
    decoy(
        "text and comments",
        &[("lib/shop/text.rb", "def self.clean(", "def self.tidy(")],
        &[("bin/app.rb", "  store\nend", "  # Shop::Text.clean(1)\n  \"Shop::Text.clean(text)\"\nend")],
    ),
    decoy(
        "an optional keyword is added",
        &[("lib/shop/store.rb", "def get(id)", "def get(id, fresh: false)")],
        &[("bin/app.rb", "  store\nend", "  store.get(1)\nend")],
    ),
    decoy(
        "already adapted",
        &[("lib/shop/store.rb", "def get(id)", "def get(id, region)")],
        &[("bin/app.rb", "  store\nend", "  store.get(1, :eu)\nend")],
    ),
    decoy(
        "an unknown receiver",
        &[("lib/shop/store.rb", "def get(id)", "def load(id)")],
        &[("bin/other.rb", "", "def read(thing)\n  thing.get(1)\nend")],
    ),
    decoy(
        "an own method of that name",
        &[("lib/shop/store.rb", "def log(text)", "def log(level, text)")],
        &[(
            "bin/other.rb",
            "",
            "class Other\n  def log(text)\n    text\n  end\n\n  def go\n    log(\"a\")\n  end\nend",
        )],
    ),
    decoy(
        "only the body changes",
        &[("lib/shop/text.rb", "trimmed.downcase", "trimmed.upcase")],
        &[("bin/app.rb", "  store\nend", "  Shop::Text.clean(\"a\")\nend")],
    ),
];
