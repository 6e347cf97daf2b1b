// Dropout: the mask is exact for every ISA, kept values are within 2 ulp of x / (1 - p).
#include "families.h"
#include "values.h"

namespace fd::native {
namespace {

struct Setting {
  int64_t n;
  double p;
  bool values, mask, in_place;
};

template <class T>
void check_dropout(const Tables& t, const std::string& title, fd_dtype dtype, const Setting& s, const fd_rng& rng) {
  Case c(title, text(s.n, " elements, p ", s.p, s.values ? " values" : "", s.mask ? " mask" : "",
                     s.in_place ? " in place" : "", " offset ", rng.offset));
  Random random(uint64_t(s.n));
  fd_dropout d = {};
  d.n = s.n;
  d.p = s.p;
  d.rng = &rng;
  if (s.values) {
    T* const y = c.output<T>(s.n, within(2));
    d.x = y;
    d.y = y;
    if (s.in_place) {
      fill(y, s.n, random);
    } else {
      T* const x = c.input<T>(s.n);
      fill(x, s.n, random);
      d.x = x;
    }
  }
  if (s.mask) d.mask = reinterpret_cast<uint8_t*>(c.output<bool>(s.n, kBits));
  c.check(t.reference.dropout.dropout[dtype], t.candidate.dropout.dropout[dtype], d, s.n > 2000);
}

}  // namespace

void test_dropout(const Tables& t) {
  for_each_floating([&]<class T>(fd_dtype dtype) {
    const std::string title = text(t.isa, " dropout ", DType(dtype));
    if (!report().wanted(title)) return;
    if (!differs(t, t.candidate.dropout.dropout[dtype], t.below.dropout.dropout[dtype])) return;
    for (const fd_rng& rng : {fd_rng{0, 0}, fd_rng{0x123456789abcdef0, 0xfedcba9876543210}})
      for (double p : {0.0, 0.5, 0.1, 1.0, 0x1p-32}) {
        for (int64_t n : kSizes) check_dropout<T>(t, title, dtype, {n, p, true, false, false}, rng);
        for (int64_t n : {17, 6000}) {
          check_dropout<T>(t, title, dtype, {n, p, true, true, false}, rng);
          check_dropout<T>(t, title, dtype, {n, p, false, true, false}, rng);
          check_dropout<T>(t, title, dtype, {n, p, true, false, true}, rng);
          check_dropout<T>(t, title, dtype, {n, p, true, true, true}, rng);
        }
        check_dropout<T>(t, title, dtype, {150001, p, true, true, false}, rng);
      }
  });
}

}  // namespace fd::native
