// sort: exact values and positions, ties in order, both directions, whole rows and their first few.
#include "families.h"
#include "values.h"

namespace fd::native {
namespace {

struct Rows {
  int64_t rows, size;
};
constexpr Rows kRows[] = {{0, 5},     {3, 0},    {4, 1},     {5, 2},      {3, 15},     {3, 16},
                          {3, 17},    {7, 33},   {2, 191},   {2, 192},    {2, 193},    {3, 500},
                          {40, 1000}, {2, 4099}, {1, 70000}, {1, 131073}, {2, 140000}, {1, 300001}};

template <class T>
void test_rows(const Tables& t, fd_dtype dtype, const std::string& title) {
  for (const Rows& r : kRows)
    for (int64_t keep : {r.size, r.size / 3, std::min<int64_t>(r.size, 5), int64_t(0)})
      for (bool descending : {false, true}) {
        Case c(title, text(r.rows, " rows of ", r.size, ", the first ", keep, descending ? " descending" : ""));
        Random random(6);
        T* const in = c.input<T>(r.rows * r.size);
        fill(in, r.rows * r.size, random, {-400, 400, Specials::all});
        const fd_sort a{
            r.rows,     r.size, keep, in, c.output<T>(r.rows * keep, kBits), c.output<int64_t>(r.rows * keep, kBits),
            descending, 0};
        c.check(t.reference.sort.sort[dtype], t.candidate.sort.sort[dtype], a, r.rows * r.size > 20000);
      }
}

}  // namespace

void test_sort(const Tables& t) {
  for_each_dtype([&]<class T>(fd_dtype dtype) {
    const std::string title = text(t.isa, " sort ", DType(dtype));
    if (differs(t, t.candidate.sort.sort[dtype], t.below.sort.sort[dtype]) && report().wanted(title))
      test_rows<T>(t, dtype, title);
  });
}

}  // namespace fd::native
