// A kernel call on guarded memory, run by the reference and by a candidate, and compared.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "kernels/reference/element.h"

namespace fd::native {

template <class T>
constexpr double epsilon = double(std::numeric_limits<T>::epsilon());

using reference::BFloat16;
using reference::Float16;
using reference::for_each_dtype;
using reference::for_each_floating;
using reference::is_bool;
using reference::is_floating;
using reference::is_half;
using reference::is_integer;

// How far a candidate may be from the reference.
struct Tolerance {
  enum Kind {
    bits,   // the same bits; any NaN is as good as another
    value,  // equal values: -0 is 0
    close   // within `ulps` units in the last place of the expected value, plus `absolute`
  };
  Kind kind = bits;
  double ulps = 0, absolute = 0;
};
inline constexpr Tolerance kBits{Tolerance::bits, 0, 0}, kValue{Tolerance::value, 0, 0};
inline Tolerance within(double ulps, double absolute = 0) { return {Tolerance::close, ulps, absolute}; }

// One table under test, the reference it is measured against, and the table it was built upon.
struct Tables {
  std::string isa;
  const fd_kernels& reference;
  const fd_kernels& below;
  const fd_kernels& candidate;
  bool self;  // the candidate is the reference: memory is checked, and NULL marks entries that do not exist
};

// Whether the entry is this table's own, neither missing nor inherited.
template <class Fn>
bool differs(const Tables& t, Fn* candidate, Fn* below) {
  return candidate && (t.self || candidate != below);
}

// Counts results, prints failures, and remembers the largest error seen per title for -v.
class Report {
 public:
  void begin(const std::string& family);
  void end();
  bool wanted(const std::string& title) const;
  void pass() { passed_++; }
  void fail(const std::string& title, const std::string& detail, const std::string& why);
  void error_seen(const std::string& title, double ulps);
  int64_t total_passed() const { return total_passed_; }
  int64_t total_failed() const { return total_failed_; }

  std::string filter;
  bool verbose = false;
  bool quick = false;
  bool may_fork = true;

 private:
  std::string family_;
  double begun_ = 0;
  int64_t passed_ = 0, failed_ = 0, total_passed_ = 0, total_failed_ = 0;
  struct Worst {
    std::string title;
    double ulps;
  };
  std::vector<Worst> worst_;
};
Report& report();

// A plain assertion of a test that is not a comparison of kernels.
void expect(bool ok, const std::string& title, const std::string& detail);

class Case {
 public:
  Case(const std::string& title, std::string detail);

  // Memory that ends where an unreadable page begins and is preceded by guard bytes. The caller fills inputs; whatever
  // an output holds before the call is part of the case, and bytes the reference leaves alone must stay.
  template <class T>
  T* input(int64_t n) {
    return static_cast<T*>(add(n * sizeof(T), n, nullptr, kBits));
  }
  template <class T>
  T* output(int64_t n, Tolerance tolerance) {
    T* const p = static_cast<T*>(add(n * sizeof(T), n, compare<T>, tolerance));
    for (int64_t i = 0; i < n; i++) p[i] = from_garbage<T>(i);
    return p;
  }

  // Runs both; with `threads`, the candidate with 1, 2 and 5 of them, which must not change a bit.
  template <class Args>
  void check(fd_status (*reference)(fd_context*, const Args*), fd_status (*candidate)(fd_context*, const Args*),
             const Args& args, bool threads = false) {
    struct Pair {
      fd_status (*fn)(fd_context*, const Args*);
      const Args* args;
    };
    const Pair pairs[2] = {{reference, &args}, {candidate, &args}};
    const Call call = [](fd_context* context, const void* p) {
      return static_cast<const Pair*>(p)->fn(context, static_cast<const Pair*>(p)->args);
    };
    run(call, &pairs[0], &pairs[1], threads);
  }

 private:
  using Call = fd_status (*)(fd_context*, const void*);
  struct Difference {
    int64_t at = -1;  // the first element that is too far off
    double worst_ulps = 0;
    std::string text;
  };
  using Compare = void (*)(const void* expected, const void* got, int64_t n, const Tolerance&, Difference*);
  struct Buffer {
    std::byte* data;
    size_t bytes;
    int64_t n;
    Compare compare;
    Tolerance tolerance;
    std::vector<std::byte> initial, expected, got;
  };

  void* add(size_t bytes, int64_t n, Compare compare, Tolerance tolerance);
  void run(Call call, const void* reference, const void* candidate, bool threads);
  fd_status run_once(Call call, const void* pair, fd_fault* fault);
  std::string memory_damage() const;
  void compare_outputs();

  template <class T>
  static T from_garbage(int64_t i) {
    if constexpr (is_half<T>)
      return T{uint16_t(0x3c00 + i % 7)};
    else if constexpr (is_bool<T>)
      return i % 2;
    else
      return T(77 + i % 7);
  }
  template <class T>
  static void compare(const void* expected, const void* got, int64_t n, const Tolerance&, Difference*);

  std::string title_, detail_;
  std::vector<Buffer> buffers_;
};

// Which cases are worth their time. The reference uses no threads, so large cases tell nothing about it;
// ThreadSanitizer slows everything some twentyfold and learns only from cases with threads, of one dtype.
enum class Cases { all, without_threads, with_threads };
void select_cases(Cases cases);
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#else
inline constexpr bool kThreadSanitizer = false;
#endif

// Distance in units of the expected value's last place; 0 for equal values and for two NaNs.
template <class T>
double ulps_between(T expected, T got) {
  if (expected == got || (expected != expected && got != got)) return 0;
  if (expected != expected || got != got) return HUGE_VAL;
  using Bits = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  const auto ordered = [](T x) {
    const Bits b = std::bit_cast<Bits>(x);
    return int64_t(b < 0 ? -(b & std::numeric_limits<Bits>::max()) : b);
  };
  const int64_t a = ordered(expected), b = ordered(got);
  return double(a > b ? uint64_t(a) - uint64_t(b) : uint64_t(b) - uint64_t(a));
}

template <class T>
std::string printed(T x) {
  char text[64];
  if constexpr (is_half<T>)
    std::snprintf(text, sizeof text, "%g (0x%04x)", double(reference::to_float(x)), x.bits);
  else if constexpr (is_floating<T>)
    std::snprintf(text, sizeof text, sizeof(T) == 4 ? "%.9g" : "%.17g", double(x));
  else
    std::snprintf(text, sizeof text, "%lld", (long long)x);
  return text;
}

template <class T>
double element_error(T expected, T got, const Tolerance& tolerance, bool* ok) {
  if constexpr (is_half<T>) {
    const float a = reference::to_float(expected), b = reference::to_float(got);
    *ok = expected.bits == got.bits || (a != a && b != b);
    return 0;
  } else if constexpr (is_floating<T>) {
    const double ulps = ulps_between(expected, got);
    if (tolerance.kind == Tolerance::bits)
      *ok = ulps == 0 && (expected != expected || std::signbit(expected) == std::signbit(got));
    else
      *ok = ulps <= tolerance.ulps || std::fabs(double(expected) - double(got)) <= tolerance.absolute;
    return ulps;
  } else {
    *ok = expected == got;
    return 0;
  }
}

template <class T>
void Case::compare(const void* expected, const void* got, int64_t n, const Tolerance& tolerance, Difference* d) {
  const T* const a = static_cast<const T*>(expected);
  const T* const b = static_cast<const T*>(got);
  for (int64_t i = 0; i < n; i++) {
    bool ok = false;
    const double ulps = element_error(a[i], b[i], tolerance, &ok);
    if (ok && !(tolerance.absolute > 0)) d->worst_ulps = std::max(d->worst_ulps, ulps);
    if (ok || d->at >= 0) continue;
    d->at = i;
    d->text = text("element ", i, " of ", n, ": expected ", printed(a[i]), ", got ", printed(b[i]), ", ", ulps, " ulp");
  }
}

}  // namespace fd::native
