// cast of every pair of dtypes (copy, fill) and where: exact.
#include "elementwise.h"
#include "families.h"

namespace fd::native {
namespace {

// What a conversion is defined for: float to integer needs values the integer can hold.
template <class From, class To>
Range source_range() {
  if constexpr (is_integer<To> && (is_floating<From> || is_half<From>))
    return {std::is_unsigned_v<To> ? 0.0 : -200.0, 200, Specials::none};
  else
    return {-300, 300, Specials::all};
}

template <class From, class To>
void test_pair(const Tables& t, const std::vector<Layout>& all, fd_dtype from, fd_dtype to) {
  if constexpr (is_integer<To> && is_half<From>) return;  // random halves hold NaN; the float path covers it
  fd_elementwise_fn* const candidate = t.candidate.elementwise.cast[from][to];
  const ElementwiseOp run{text(t.isa, " cast ", DType(from), " to ", DType(to)),
                          t.reference.elementwise.cast[from][to],
                          candidate,
                          kBits,
                          {source_range<From, To>()}};
  if (!differs(t, candidate, t.below.elementwise.cast[from][to]) || !report().wanted(run.title)) return;
  for (const Layout& layout : all) check_elementwise<To, From>(run, {from}, layout);
}

// What does not fit the integer, one in a vector or all of it, among what does.
template <class From, class To>
void test_limits(const Tables& t, fd_dtype from, fd_dtype to) {
  constexpr int64_t n = 5000;
  fd_elementwise_fn* const candidate = t.candidate.elementwise.cast[from][to];
  const std::string title = text(t.isa, " cast ", DType(from), " to ", DType(to));
  if (!differs(t, candidate, t.below.elementwise.cast[from][to]) || !report().wanted(title)) return;
  Case c(title, "what does not fit");
  fd_elementwise e = line_of(n);
  e.out = c.output<To>(n, kBits);
  From* const in = c.input<From>(n);
  Random random(11);
  fill(in, n, random, {-1e6, 1e6, Specials::none});
  for (int64_t i = 0; i < n; i += i < n / 2 ? 61 : 1) {
    const From odd[] = {From(NAN),     From(HUGE_VAL), From(-HUGE_VAL), From(0x1p31),
                        From(-0x1p31), From(0x1p63),   From(-0x1p63)};
    in[i] = i % 3 ? std::ldexp(From(i % 2 ? -1.37 : 1.61), int(i % 90)) : odd[i / 3 % 7];
  }
  e.in[0] = in;
  c.check(t.reference.elementwise.cast[from][to], candidate, e);
}

template <class T>
void test_where(const Tables& t, fd_dtype dtype) {
  fd_elementwise_fn* const candidate = t.candidate.elementwise.where[dtype];
  const ElementwiseOp run{
      text(t.isa, " cast where ", DType(dtype)), t.reference.elementwise.where[dtype], candidate, kBits, {}};
  if (!differs(t, candidate, t.below.elementwise.where[dtype]) || !report().wanted(run.title)) return;
  for (const Layout& layout : layouts(3, false)) check_elementwise<T, bool, T, T>(run, {FD_BOOL, dtype, dtype}, layout);
}

// Every half there is, to float and back.
template <class Half>
void test_all_halves(const Tables& t, fd_dtype half) {
  const std::string title = text(t.isa, " cast ", DType(half), " to float32");
  fd_elementwise_fn* const to_float = t.candidate.elementwise.cast[half][FD_F32];
  if (!differs(t, to_float, t.below.elementwise.cast[half][FD_F32]) || !report().wanted(title)) return;
  Case c(title, "all 65536");
  fd_elementwise e = line_of(65536);
  e.out = c.output<float>(65536, kBits);
  Half* const in = c.input<Half>(65536);
  for (int i = 0; i < 65536; i++) in[i] = Half{uint16_t(i)};
  e.in[0] = in;
  c.check(t.reference.elementwise.cast[half][FD_F32], to_float, e);
}

// Numbers beside every boundary between two halves: ties and their neighbours.
template <class From, class Half>
void test_rounding(const Tables& t, fd_dtype from, fd_dtype half) {
  const std::string title = text(t.isa, " cast ", DType(from), " to ", DType(half));
  fd_elementwise_fn* const candidate = t.candidate.elementwise.cast[from][half];
  if (!differs(t, candidate, t.below.elementwise.cast[from][half]) || !report().wanted(title)) return;
  constexpr int n = 3 * 65536;
  Case c(title, "ties and their neighbours");
  fd_elementwise e = line_of(n);
  e.out = c.output<Half>(n, kBits);
  From* const in = c.input<From>(n);
  for (int i = 0; i < 65536; i++) {
    const From a = reference::to_float(Half{uint16_t(i)}), b = reference::to_float(Half{uint16_t(i + 1)});
    const From tie = a / 2 + b / 2;
    in[3 * i] = tie;
    in[3 * i + 1] = std::nextafter(tie, a);
    in[3 * i + 2] = std::nextafter(tie, b);
  }
  e.in[0] = in;
  c.check(t.reference.elementwise.cast[from][half], candidate, e);
}

}  // namespace

void test_cast(const Tables& t) {
  const std::vector<Layout> apart = layouts(1, false), shared = layouts(1, true);
  for_each_dtype([&]<class From>(fd_dtype from) {
    for_each_dtype(
        [&]<class To>(fd_dtype to) { test_pair<From, To>(t, std::is_same_v<From, To> ? shared : apart, from, to); });
    test_where<From>(t, from);
    if constexpr (is_floating<From>) {
      test_limits<From, uint8_t>(t, from, FD_U8);
      test_limits<From, int32_t>(t, from, FD_I32);
      test_limits<From, int64_t>(t, from, FD_I64);
    }
    if constexpr (is_half<From>) {
      test_all_halves<From>(t, from);
      test_rounding<float, From>(t, FD_F32, from);
      test_rounding<double, From>(t, FD_F64, from);
    }
  });
}

}  // namespace fd::native
