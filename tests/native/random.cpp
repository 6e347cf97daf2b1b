// Philox against its authors' vectors, and the draws that every device and compiler must reproduce.
#include "base/philox.h"

#include <cmath>

#include "families.h"

namespace fd::native {
namespace {

template <class T>
std::vector<T> draw(fd_random_fn* fn, fd_random r, int64_t n, uint64_t seed, uint64_t offset = 0) {
  std::vector<T> out(n);
  const fd_rng rng{seed, offset};
  r.n = n;
  r.out = out.data();
  r.rng = &rng;
  fn(context(Device{}), &r);
  return out;
}

// FNV-1a, 64 bits (Fowler, Noll, Vo)
template <class T>
uint64_t hash(const std::vector<T>& values) {
  uint64_t h = 0xcbf29ce484222325u;
  for (const T& v : values) {
    unsigned char bytes[sizeof v];
    std::memcpy(bytes, &v, sizeof v);
    for (unsigned char b : bytes) h = (h ^ b) * 0x100000001b3u;
  }
  return h;
}

void expect_hash(const char* what, uint64_t got, uint64_t expected) {
  expect(got == expected, text("random ", what), text("hash 0x", std::hex, got, ", expected 0x", expected));
}

void expect_moments(const char* what, const std::vector<double>& x, double mean, double variance) {
  double sum = 0, squares = 0;
  for (double v : x) sum += v;
  const double m = sum / double(x.size());
  for (double v : x) squares += (v - m) * (v - m);
  const double v = squares / double(x.size()), error = 5 * std::sqrt(variance / double(x.size()));
  expect(std::fabs(m - mean) < error, text("random ", what), text("mean ", m));
  expect(std::fabs(v / variance - 1) < 0.02, text("random ", what), text("variance ", v));
}

// Each dtype's prefix does not depend on how many are drawn.
template <class T>
void expect_prefixes(const char* what, fd_random_fn* fn, const fd_random& r) {
  const std::vector<T> all = draw<T>(fn, r, 37, 5, 9);
  for (int64_t n = 0; n < 37; n++) {
    const std::vector<T> some = draw<T>(fn, r, n, 5, 9);
    expect(std::equal(some.begin(), some.end(), all.begin()), text("random ", what), text(n, " draws of 37"));
  }
}

}  // namespace

void test_philox() {
  struct Vector {
    int rounds;
    uint64_t seed, offset, block;
    uint32_t words[4];
  };
  // Random123's kat_vectors, philox4x32 with 10 and 7 rounds.
  const Vector vectors[] = {
      {10, 0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {10, ~0ull, ~0ull, ~0ull, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {10,
       0x299f31d0a4093822,
       0x0370734413198a2e,
       0x85a308d3243f6a88,
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
      {7, 0, 0, 0, {0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48}},
      {7, ~0ull, ~0ull, ~0ull, {0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662}},
      {7, 0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88, {0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a}},
  };
  for (const Vector& v : vectors) {
    const fd_philox4 got = fd_philox_rounds(v.rounds, v.seed, v.offset, v.block);
    for (int i = 0; i < 4; i++)
      expect(got.v[i] == v.words[i], "philox", text("word ", i, " of block ", v.block, std::hex, ": ", got.v[i]));
  }
  for (uint64_t i = 0; i < 9; i++)
    expect(fd_mask_bits(3, 4, i) == fd_mask_philox(3, 4, i / 4).v[i % 4], "philox", text("element ", i));
}

void test_random(const fd_kernels& table) {
  const fd_dropout_kernels& k = table.dropout;
  fd_random unit = {};
  unit.b = 1;
  expect_hash("normal float32", hash(draw<float>(k.normal[FD_F32], unit, 1000, 0)), 0x6446a4f4acb06c5d);
  expect_hash("normal float64", hash(draw<double>(k.normal[FD_F64], unit, 1000, 0)), 0x280c44cb933dfd45);
  expect_hash("uniform float32", hash(draw<float>(k.uniform[FD_F32], unit, 1000, 0)), 0x5eedf9d7c493b6a6);
  expect_hash("uniform float64", hash(draw<double>(k.uniform[FD_F64], unit, 1000, 0)), 0x63ae41b58e21894d);
  fd_random digits = {};
  digits.high = 10;
  expect_hash("randint int64", hash(draw<int64_t>(k.randint[FD_I64], digits, 1000, 0)), 0x90539ab53823662a);

  expect_moments("normal float64", draw<double>(k.normal[FD_F64], unit, 200000, 1), 0, 1);
  expect_moments("uniform float64", draw<double>(k.uniform[FD_F64], unit, 200000, 1), 0.5, 1.0 / 12);
  expect_moments("randint float64", draw<double>(k.randint[FD_F64], digits, 200000, 1), 4.5, 8.25);
  fd_random coin = {};
  coin.a = 0.3;
  expect_moments("bernoulli float64", draw<double>(k.bernoulli[FD_F64], coin, 200000, 1), 0.3, 0.21);

  expect_prefixes<float>("normal float32", k.normal[FD_F32], unit);
  expect_prefixes<double>("uniform float64", k.uniform[FD_F64], unit);
  expect_prefixes<int32_t>("randint int32", k.randint[FD_I32], digits);
  expect_prefixes<uint8_t>("bernoulli bool", k.bernoulli[FD_BOOL], coin);

  // Both dtypes draw the same normals; ranges are half open even where rounding would close them.
  const std::vector<float> narrow = draw<float>(k.normal[FD_F32], unit, 1000, 0);
  const std::vector<double> wide = draw<double>(k.normal[FD_F64], unit, 1000, 0);
  for (int i = 0; i < 1000; i++) expect(narrow[i] == float(wide[i]), "random normal", text("draw ", i, " of float32"));
  fd_random binade = {};
  binade.a = 1, binade.b = 2;
  float largest = 0;
  for (float x : draw<float>(k.uniform[FD_F32], binade, 1 << 22, 0)) largest = std::max(largest, x);
  expect(largest < 2, "random uniform float32", "[1, 2) holds 2");

  fd_random all = {};
  all.low = INT64_MIN, all.high = INT64_MAX;
  int64_t low = INT64_MAX, high = INT64_MIN;
  for (int64_t x : draw<int64_t>(k.randint[FD_I64], all, 1000, 0)) low = std::min(low, x), high = std::max(high, x);
  expect(low < INT64_MIN / 2 && high > INT64_MAX / 2, "random randint int64", "the whole range is used");
  for (double p : {0.0, 1.0}) {
    coin.a = p;
    for (double x : draw<double>(k.bernoulli[FD_F64], coin, 1000, 2))
      expect(x == p, "random bernoulli", text("certainty ", p));
  }
}

}  // namespace fd::native
