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

struct Wanted {
  int64_t keep;
  bool descending, only_last;
  Range range;
};

// Many equals and what is special; and long rows whose keys differ in many bits, or in few.
template <class T>
std::vector<Range> ranges_of() {
  std::vector<Range> all = {{-400, 400, Specials::all}};
  if (!is_bool<T> && sizeof(T) >= 4) all.push_back({-2e9, 2e9, Specials::none});
  if constexpr (std::is_floating_point_v<T>) all.push_back({1, 1 + 1000 * epsilon<T>, Specials::none});
  return all;
}

template <class T>
void check_rows(const Tables& t, fd_dtype dtype, const std::string& title, const Rows& r, const Wanted& w) {
  Case c(title, text(r.rows, " rows of ", r.size, w.only_last ? ", number " : ", the first ", w.keep,
                     w.descending ? " descending" : "", " from ", w.range.low));
  Random random(6);
  T* const in = c.input<T>(r.rows * r.size);
  fill(in, r.rows * r.size, random, w.range);
  const int64_t written = r.rows * (w.only_last ? 1 : w.keep);
  const fd_sort a{r.rows,       r.size,     w.keep, in, c.output<T>(written, kBits), c.output<int64_t>(written, kBits),
                  w.descending, w.only_last};
  c.check(t.reference.sort.sort[dtype], t.candidate.sort.sort[dtype], a, r.rows * r.size > 20000);
}

template <class T>
void test_rows(const Tables& t, fd_dtype dtype, const std::string& title) {
  for (const Rows& r : kRows)
    for (int64_t keep : {r.size, r.size / 3, std::min<int64_t>(r.size, 5), int64_t(0)})
      for (bool descending : {false, true})
        for (bool only_last : {false, true})
          for (const Range& range : ranges_of<T>())
            if ((keep > 0 || !only_last) && (range.specials == Specials::all || keep == r.size))
              check_rows<T>(t, dtype, title, r, {keep, descending, only_last, range});
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
