#include "foo.h"
#include <stdio.h>
#define K 1
#define MAX(a,b) ((a)>(b))
typedef struct { int a; char *b; } T;
struct S { int x; struct T *y; };
enum E { EA, EB = 2 };
union U { int a; };
typedef int (*cb)(int);
static inline int *foo(int a, const char *b, ...) { struct S s = { .x = 1 }; T *t = make(1); t->b = 0; s.x = foo(1, "x"); cb f = &foo; int i, *j = 0, arr[3]; for (int k = 0;;) {} return MAX(1, 2); }
int bar(void);
extern int g; int h = 1; char *strs[] = {0};
void (*fp)(int a) = bar;
