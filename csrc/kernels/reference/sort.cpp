// Sorting rows. Elements become unsigned keys of the same order, so that one comparison serves every dtype and both
// directions, and are merged as (key, position) pairs.
#include <algorithm>
#include <type_traits>

#include "kernels/reference/element.h"
#include "kernels/reference/table.h"

namespace fd::reference {
namespace {

template <class T>
using Key = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

// Unsigned and in the order of x, NaN last. For floats: the bits, flipped where the sign makes them run backwards.
template <class T>
Key<T> key_of(T x) {
  using K = Key<T>;
  constexpr K sign = K(1) << (8 * sizeof(K) - 1);
  if constexpr (is_floating<T>) {
    if (x != x) return ~K(0);
    const K bits = std::bit_cast<K>(x + T(0));  // -0 becomes 0
    return bits & sign ? ~bits : bits | sign;
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<K>(x) ^ sign;
  } else {
    return static_cast<K>(x);
  }
}

template <class K>
struct Entry {
  K key;
  int64_t position;
};

constexpr int64_t kRun = 16;  // sorted by insertion before merging begins

template <class E>
void insertion_sort(E* e, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    const E moving = e[i];
    int64_t j = i;
    for (; j > 0 && moving.key < e[j - 1].key; j--) e[j] = e[j - 1];
    e[j] = moving;
  }
}

// Sorts a, using b of the same length; returns the one that holds the result.
template <class E>
E* merge_sort(E* a, E* b, int64_t n) {
  for (int64_t i = 0; i < n; i += kRun) insertion_sort(a + i, std::min(kRun, n - i));
  for (int64_t width = kRun; width < n; width *= 2) {
    for (int64_t i = 0; i < n; i += 2 * width) {
      const E *left = a + i, *middle = a + std::min(i + width, n), *right = middle,
              *end = a + std::min(i + 2 * width, n);
      E* out = b + i;
      while (left < middle && right < end) *out++ = right->key < left->key ? *right++ : *left++;
      out = std::copy(left, middle, out);
      std::copy(right, end, out);
    }
    std::swap(a, b);
  }
  return a;
}

// The first `keep` of the sorted row. Positions break ties, so the order is the stable one.
template <class E>
E* select_first(E* a, int64_t n, int64_t keep) {
  std::partial_sort(a, a + keep, a + n,
                    [](const E& x, const E& y) { return x.key != y.key ? x.key < y.key : x.position < y.position; });
  return a;
}

template <class T>
fd_status sort(fd_context* context, const fd_sort* s) {
  using E = Entry<Key<T>>;
  auto* const a = static_cast<E*>(context->workspace(context, 0, 2 * static_cast<size_t>(s->size) * sizeof(E)));
  if (!a) return FD_NO_MEMORY;
  const T* in = static_cast<const T*>(s->in);
  const bool few = s->keep < s->size / 8;
  for (int64_t r = 0; r < s->rows; r++, in += s->size) {
    for (int64_t i = 0; i < s->size; i++) a[i] = {s->descending ? ~key_of(in[i]) : key_of(in[i]), i};
    const E* sorted = few ? select_first(a, s->size, s->keep) : merge_sort(a, a + s->size, s->size);
    const int64_t written = s->only_last ? 1 : s->keep;
    for (int64_t i = 0; i < written; i++) {
      const int64_t from = sorted[s->keep - written + i].position;
      if (s->values) static_cast<T*>(s->values)[r * written + i] = in[from];
      if (s->indices) s->indices[r * written + i] = from;
    }
  }
  return FD_OK;
}

}  // namespace

void fill_sort(fd_kernels* table) {
  for_each_dtype([table]<class T>(fd_dtype dtype) {
    if constexpr (!is_half<T>) table->sort.sort[dtype] = sort<T>;
  });
}

}  // namespace fd::reference
