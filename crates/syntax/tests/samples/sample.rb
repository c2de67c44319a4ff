require 'json'
require_relative '../lib/foo'
module A
  class B < C::D
    include Mix
    attr_accessor :name, :x
    K = 1
    def initialize(a, b = 1, *c, d:, e: 2, **f, &g)
      @repo = Repo.new(a)
    end
    def self.make(x) = new(x)
    def run(y)
      @repo.save y, k: 1
      helper(1) { |z| z.go }
      self.foo
      Foo::Bar.baz(*y)
      x = Foo.new
      x.bar!
      x&.q
      super(y)
      puts K
      bare
    rescue E => e
      e.m
    end
    private
    def helper; end
    class << self
      def cm(a); end
    end
  end
end
def top(a) end
x = 1
alias_method :p, :q
