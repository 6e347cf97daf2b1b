// Sorting rows, by words of key and position (sort_words.h). Short rows are merged, longer ones counted into place
// digit by digit; of a long single row, each digit is counted in chunks by all threads. Rows of which one rank is
// wanted, or few, are first narrowed to the elements around it. Bound by latency in the cache: each digit scatters the
// row once. One core: 1 M float32 13 ms, 1,000 rows of 1,000 7.8 ms, their medians 3 ms (AVX-512, Intel(R) Xeon(R)
// Processor @ 2.10GHz; docs/kernels/sort.md).
#include "kernels/cpu/sort_words.h"

#include "kernels/cpu/table.h"

namespace fd::FD_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements of short rows per task
constexpr int64_t kChunk = 1 << 16;  // of a long row
constexpr int64_t kMostChunks = 32;  // a digit's places are counted for each
constexpr int64_t kFirst = 64;       // so many leading elements are picked without sorting
constexpr int64_t kNarrowed = 48;    // longer rows are narrowed to what is wanted

template <class T>
Words<T> words_of(const fd_sort& s, int64_t r) {
  return {static_cast<const T*>(s.in) + r * s.size, s.descending ? Key<T>(~Key<T>(0)) : Key<T>(0)};
}

// The first of the ranks that are written; s.keep is their end.
int64_t first_rank(const fd_sort& s) { return s.only_last && s.keep > 0 ? s.keep - 1 : 0; }

template <class T>
void store(const fd_sort& s, const Words<T>& words, const uint64_t* sorted, int64_t out, int64_t n) {
  if (s.indices)
    for (int64_t i = 0; i < n; i++) s.indices[out + i] = position_in(sorted[i]);
  T* const values = s.values ? static_cast<T*>(s.values) + out : nullptr;
  if (!values) return;
  if constexpr (sizeof(T) <= 4) {
    if (words.base == 0 && words.shared == 0) {
      for (int64_t i = 0; i < n; i++) {
        const uint32_t key = order_in(sorted[i]) ^ words.flip;
        values[i] = loses_bits<T>(key) ? words.row[position_in(sorted[i])] : element_of<T>(key);
      }
      return;
    }
  }
  for (int64_t i = 0; i < n; i++) values[i] = words.row[position_in(sorted[i])];
}

// ---------------------------------------------------------------------------------------------------- the first few

template <class T>
struct Pick {
  Key<T> key;
  int64_t at;
};

template <class T>
void insert(Pick<T>* kept, int64_t count, Pick<T> e) {
  int64_t j = count - 1;
  for (; j > 0 && e.key < kept[j - 1].key; j--) kept[j] = kept[j - 1];
  kept[j] = e;
}

// The first s.keep of a row, kept in order while the row goes by. Most blocks hold nothing that comes before the last
// of them, which one pass of comparisons tells.
template <class T>
void pick_first(const fd_sort& s, int64_t r) {
  constexpr int64_t kBlock = 16;
  const Words<T> words = words_of<T>(s, r);
  Pick<T> kept[kFirst];
  for (int64_t i = 0; i < s.keep; i++) insert<T>(kept, i + 1, {words.key(i), i});
  const Key<T>& last = kept[s.keep - 1].key;
  int64_t i = s.keep;
  for (; i + kBlock <= s.size; i += kBlock) {
    const Key<T> limit = last;
    Key<T> any = 0;
    for (int64_t j = 0; j < kBlock; j++) any |= words.key(i + j) < limit ? 1 : 0;
    if (!any) [[likely]]
      continue;
    for (int64_t j = i; j < i + kBlock; j++)
      if (words.key(j) < last) insert<T>(kept, s.keep, {words.key(j), j});
  }
  for (; i < s.size; i++)
    if (words.key(i) < last) insert<T>(kept, s.keep, {words.key(i), i});
  for (int64_t j = 0; j < s.keep; j++) {
    if (s.values) static_cast<T*>(s.values)[r * s.keep + j] = words.row[kept[j].at];
    if (s.indices) s.indices[r * s.keep + j] = kept[j].at;
  }
}

// ------------------------------------------------------------------------------------------------------------ ranks

// Ranks [begin, end) of what is sorted.
struct Ranks {
  int64_t begin, end;
};

// Leading digits [low, low + width] hold the wanted ranks; `below` elements come before them.
struct Bounds {
  uint64_t low, width;
  int64_t below;
  bool hold(uint64_t digit) const { return digit - low <= width; }
};

template <class Count>
Bounds bounds_of(Ranks ranks, const Count& count) {
  int64_t below = 0, low = 0;
  for (; below + count(low) <= ranks.begin; low++) below += count(low);
  int64_t high = low, upto = below + count(low);
  while (upto < ranks.end) upto += count(++high);
  return {uint64_t(low), uint64_t(high - low), below};
}

// The words whose leading digits are those of the wanted ranks, in the order of their positions; ranks then count from
// the first of them. Returns how many. Writes one word further.
template <int kBits, class T>
int64_t narrow_by(const Words<T>& words, int64_t n, Ranks* ranks, uint64_t* out, uint64_t* room) {
  uint32_t counts[2][1 << kBits] = {};  // so that neighbours do not wait for each other's count
  for (int64_t i = 0; i < n; i++) {
    room[i] = words.word(i);
    counts[i % 2][room[i] >> (64 - kBits)]++;
  }
  const Bounds bounds = bounds_of(*ranks, [&](int64_t v) { return int64_t(counts[0][v]) + counts[1][v]; });
  int64_t found = 0;
  for (int64_t i = 0; i < n; i++) {
    out[found] = room[i];
    found += bounds.hold(room[i] >> (64 - kBits));
  }
  *ranks = {ranks->begin - bounds.below, ranks->end - bounds.below};
  return found;
}

template <class T>
int64_t narrow(const Words<T>& words, int64_t n, Ranks* ranks, uint64_t* out, uint64_t* room) {
  return n < kFine ? narrow_by<kCoarseBits>(words, n, ranks, out, room)
                   : narrow_by<kFineBits>(words, n, ranks, out, room);
}

template <class T>
void sort_row(const fd_sort& s, int64_t r, uint64_t* a, uint64_t* b) {
  Words<T> words = words_of<T>(s, r);
  Ranks ranks{first_rank(s), s.keep};
  const bool narrows = s.size > kNarrowed && ranks.end - ranks.begin < s.size / 2;
  if (narrows || !words.whole) words.fit(words.span(0, s.size));
  int64_t n = s.size;
  if (narrows)
    n = narrow(words, s.size, &ranks, a, b);
  else
    words.load(0, s.size, a);
  uint64_t* const sorted = sort_words(a, b, n);
  if (!words.whole) sort_rest(words, sorted, sorted == a ? b : a, n);
  const int64_t wanted = ranks.end - ranks.begin;
  store(s, words, sorted + ranks.begin, r * wanted, wanted);
}

// --------------------------------------------------------------------------------------------------------- long rows

// One row, sorted by all threads.
template <class T>
struct LongRow {
  static constexpr int kBits = kFineBits, kDigits = (32 + kBits - 1) / kBits, kValues = 1 << kBits;
  fd_context* context;
  const fd_sort& s;
  int64_t n, chunk, chunks;
  Words<T> words;
  uint64_t *a, *b;
  uint32_t* counts;  // [chunks][kValues]

  LongRow(fd_context* c, const fd_sort& args, int64_t r)
      : context(c),
        s(args),
        n(args.size),
        chunk(most(kChunk, ceil_div(n, kMostChunks))),
        chunks(ceil_div(n, chunk)),
        words(words_of<T>(args, r)) {}

  fd_status run(int64_t r) {
    const size_t bytes = size_t(2 * n) * sizeof(uint64_t) + size_t(chunks * kValues) * sizeof(uint32_t);
    a = static_cast<uint64_t*>(context->workspace(context, 0, bytes));
    if (!a) return FD_NO_MEMORY;
    b = a + n;
    counts = reinterpret_cast<uint32_t*>(b + n);
    Ranks ranks{first_rank(s), s.keep};
    const int64_t wanted = ranks.end - ranks.begin;
    if (wanted < n / 2)
      narrow(&ranks);
    else
      sort_all();
    for_chunks(context, wanted, chunk, [&](int64_t begin, int64_t end) {
      store(s, words, a + ranks.begin + begin, r * wanted + begin, end - begin);
    });
    return FD_OK;
  }

  int64_t end_of(int64_t c) const { return least(n, (c + 1) * chunk); }

  void sort_all() {
    if (!words.whole) fit();
    for_tasks(context, chunks, [&](int64_t c) { words.load(c * chunk, end_of(c), a); });
    for (int d = 0; d < kDigits; d++) sort_digit(32 + kBits * d);
    if (!words.whole) sort_rests();
  }

  void narrow(Ranks* ranks) {
    fit();
    for_tasks(context, chunks, [&](int64_t c) {
      uint32_t* const count = counts + c * kValues;
      fill(count, kValues, uint32_t(0));
      for (int64_t i = c * chunk; i < end_of(c); i++) count[words.word(i) >> (64 - kBits)]++;
    });
    const Bounds bounds = bounds_of(*ranks, [&](int64_t v) {
      int64_t sum = 0;
      for (int64_t c = 0; c < chunks; c++) sum += counts[c * kValues + v];
      return sum;
    });
    int64_t begins[kMostChunks], found = 0;
    for (int64_t c = 0; c < chunks; c++) {
      begins[c] = found;
      for (uint64_t v = bounds.low; v <= bounds.low + bounds.width; v++) found += counts[c * kValues + int64_t(v)];
    }
    for_tasks(context, chunks, [&](int64_t c) {
      uint64_t* out = a + begins[c];
      for (int64_t i = c * chunk; i < end_of(c); i++) {
        const uint64_t word = words.word(i);
        if (bounds.hold(word >> (64 - kBits))) *out++ = word;
      }
    });
    *ranks = {ranks->begin - bounds.below, ranks->end - bounds.below};
    uint64_t* const sorted = sort_words(a, b, found);
    if (sorted == b) exchange(a, b);
    if (!words.whole) sort_rest(words, a, b, found);
  }

  void fit() {
    typename Words<T>::Span spans[kMostChunks], all;
    for_tasks(context, chunks, [&](int64_t c) { spans[c] = words.span(c * chunk, end_of(c)); });
    for (int64_t c = 0; c < chunks; c++) all.include(spans[c]);
    words.fit(all);
  }

  void sort_digit(int shift) {
    for_tasks(context, chunks, [&](int64_t c) {
      uint32_t* const count = counts + c * kValues;
      fill(count, kValues, uint32_t(0));
      for (int64_t i = c * chunk; i < end_of(c); i++) count[digit_of<kBits>(a[i], shift)]++;
    });
    if (!begin_places(digit_of<kBits>(a[0], shift))) return;
    for_tasks(context, chunks, [&](int64_t c) {
      const int64_t begin = c * chunk;
      scatter<kBits>(a + begin, least(chunk, n - begin), shift, counts + c * kValues, b);
    });
    exchange(a, b);
  }

  // Of equal digits those of earlier chunks come first. False if all are `some`.
  bool begin_places(unsigned some) {
    int64_t alike = 0;
    for (int64_t c = 0; c < chunks; c++) alike += counts[c * kValues + some];
    if (alike == n) return false;
    uint32_t sum = 0;
    for (int v = 0; v < kValues; v++)
      for (int64_t c = 0; c < chunks; c++) {
        const uint32_t count = counts[c * kValues + v];
        counts[c * kValues + v] = sum;
        sum += count;
      }
    return true;
  }

  // No run of equals is cut.
  void sort_rests() {
    int64_t begins[kMostChunks + 1];
    for (int64_t c = 0; c <= chunks; c++) {
      int64_t at = least(n, c * chunk);
      while (at > 0 && at < n && order_in(a[at]) == order_in(a[at - 1])) at++;
      begins[c] = at;
    }
    for_tasks(context, chunks,
              [&](int64_t c) { sort_rest(words, a + begins[c], b + begins[c], begins[c + 1] - begins[c]); });
  }
};

template <class T>
fd_status sort(fd_context* context, const fd_sort* s) {
  if (s->size > int64_t(UINT32_MAX)) return FD_UNSUPPORTED;
  if (s->keep == 0 || s->size == 0) return FD_OK;
  const bool picks = !s->only_last && s->keep <= kFirst && s->keep < s->size / 2;
  if (context->threads > 1 && s->size > 2 * kChunk && !picks) {
    for (int64_t r = 0; r < s->rows; r++)
      if (const fd_status status = LongRow<T>(context, *s, r).run(r)) return status;
    return FD_OK;
  }
  const int64_t grain = most<int64_t>(1, kGrain / s->size);
  bool failed = false;
  for_chunks(context, s->rows, grain, [&](int64_t begin, int64_t end) {
    if (picks) {
      for (int64_t r = begin; r < end; r++) pick_first<T>(*s, r);
      return;
    }
    const int64_t n = s->size + 1;  // narrowing writes one word further than it keeps
    auto* const room = static_cast<uint64_t*>(context->workspace(context, 1, size_t(2 * n) * sizeof(uint64_t)));
    if (!room) return __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
    for (int64_t r = begin; r < end; r++) sort_row<T>(*s, r, room, room + n);
  });
  return failed ? FD_NO_MEMORY : FD_OK;
}

}  // namespace

void fill_sort(fd_kernels* table) {
  auto& k = table->sort.sort;
  k[FD_BOOL] = k[FD_U8] = sort<uint8_t>;
  k[FD_I32] = sort<int32_t>;
  k[FD_I64] = sort<int64_t>;
  k[FD_F32] = sort<float>;
  k[FD_F64] = sort<double>;
}

}  // namespace fd::FD_ISA
