module.exports = { a, b: c, d() {}, e: function() {} };
exports.foo = function (x, y = 1) {};
module.exports.bar = (x) => x;
module.exports = Foo;
Foo.prototype.run = function (z) { };
function* gen(a, {b}, ...c) { yield* a; }
class A extends B { static s(a) { } #p() {} f = 1; ['c']() {} }
const o = { m(x) { return this.k(x) }, k: (y) => y };
var v = function named() {};
