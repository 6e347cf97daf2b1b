// The matrix products of a CUDA plug-in, real or emulated, against plain loops in double: every dtype, transposition,
// epilogue and stride, sizes around the edges of tiles, parts of k, batches.
//   gemm_parity PLUGIN [FILTER]     FILTER: only problems whose description contains it
#include <dlfcn.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/cuda/element.h"
#include "kernels/plugin.h"

namespace {

using fd::gpu::BFloat16;
using fd::gpu::convert;
using fd::gpu::Float16;

const fd_plugin* plugin;
void *stream, *scratch;
constexpr size_t kScratch = size_t(64) << 20;

void must(int32_t code, const char* what) {
  if (code == 0) return;
  std::fprintf(stderr, "%s: %s\n", what, plugin->error_text(code));
  std::exit(2);
}

struct Problem {
  int64_t m, n, k, batch = 1;
  bool trans_a = false, trans_b = false, accumulate = false, bias = false;
  int activation = FD_ACT_NONE, gate = -1;
  int64_t pad = 0;     // elements between rows
  int64_t offset = 0;  // of every operand from an aligned address, in elements
  bool shared_b = false, tf32 = false;
};

std::string describe(const Problem& p, const char* dtype) {
  char text[200];
  std::snprintf(text, sizeof(text), "%s %ldx%ldx%ld batch %ld%s%s%s%s act %d gate %d pad %ld offset %ld%s%s", dtype,
                long(p.m), long(p.n), long(p.k), long(p.batch), p.trans_a ? " A^T" : "", p.trans_b ? " B^T" : "",
                p.accumulate ? " accumulate" : "", p.bias ? " bias" : "", p.activation, p.gate, long(p.pad),
                long(p.offset), p.shared_b ? " shared B" : "", p.tf32 ? " tf32" : "");
  return text;
}

double activate(int kind, double x) {
  if (kind == FD_ACT_RELU) return x < 0 ? 0 : x;
  if (kind == FD_ACT_SIGMOID) return 1 / (1 + std::exp(-x));
  return kind == FD_ACT_TANH ? std::tanh(x) : x;
}
double slope(int kind, double y) {
  if (kind == FD_ACT_RELU) return y > 0;
  if (kind == FD_ACT_SIGMOID) return y * (1 - y);
  return kind == FD_ACT_TANH ? (1 - y) * (1 + y) : 1;
}

// Device memory that ends with its last element, so that a sanitizer sees the first one beyond, and its values.
template <class T>
struct Array {
  std::vector<T> host;
  void* block = nullptr;
  T* data = nullptr;

  Array(int64_t count, int64_t offset, std::mt19937& random) : host(size_t(count)) {
    std::uniform_real_distribution<double> values(-1, 1);
    for (T& x : host) x = convert<T>(values(random));
    must(plugin->allocate(size_t(count + offset) * sizeof(T) + (count + offset == 0), &block), "allocate");
    data = static_cast<T*>(block) + offset;
    must(plugin->copy(data, host.data(), host.size() * sizeof(T), FD_HOST_TO_DEVICE, stream), "copy");
  }
  ~Array() { plugin->release(block); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  double at(int64_t i) const { return convert<double>(host[size_t(i)]); }
};

template <class T>
double rounding(const Problem& p) {
  if (std::is_same_v<T, double>) return 0x1p-52;
  return p.tf32 ? 0x1p-11 : 0x1p-23;
}
template <class T>
constexpr double kStored = std::is_same_v<T, BFloat16>  ? 0x1p-8
                           : std::is_same_v<T, Float16> ? 0x1p-11
                           : std::is_same_v<T, float>   ? 0x1p-23
                                                        : 0x1p-52;

template <class T>
bool right(const Problem& p, fd_dtype dtype, const char* name) {
  std::mt19937 random(unsigned(p.m * 31 + p.n * 7 + p.k));
  fd_gemm g = {};
  g.m = p.m, g.n = p.n, g.k = p.k, g.batch = p.batch, g.trans_a = p.trans_a, g.trans_b = p.trans_b;
  g.accumulate = p.accumulate, g.activation = p.activation, g.tf32 = p.tf32;
  g.lda = (p.trans_a ? p.m : p.k) + p.pad, g.ldb = (p.trans_b ? p.k : p.n) + p.pad, g.ldc = p.n + p.pad;
  const auto span = [](int64_t rows, int64_t cols, int64_t ld) { return rows && cols ? (rows - 1) * ld + cols : 0; };
  const int64_t a_span = p.trans_a ? span(p.k, p.m, g.lda) : span(p.m, p.k, g.lda);
  const int64_t b_span = p.trans_b ? span(p.n, p.k, g.ldb) : span(p.k, p.n, g.ldb), c_span = span(p.m, p.n, g.ldc);
  g.batch_a = a_span + p.pad, g.batch_b = p.shared_b ? 0 : b_span + p.pad, g.batch_c = c_span + p.pad;
  const auto count = [&p](int64_t each, int64_t step) { return each + (p.batch - 1) * step; };
  const Array<T> a(count(a_span, g.batch_a), p.offset, random), b(count(b_span, g.batch_b), p.offset, random);
  const Array<T> c(count(c_span, g.batch_c), p.offset, random), y(count(c_span, g.batch_c), p.offset, random);
  const Array<T> bias(p.n, p.offset, random);
  g.a = a.data, g.b = b.data, g.c = c.data, g.bias = p.bias ? bias.data : nullptr;
  if (p.gate >= 0) g.gate = y.data, g.ldgate = g.ldc, g.gate_activation = p.gate;

  fd_context context = {};
  context.stream = stream;
  context.workspace = [](fd_context*, int32_t, size_t bytes) { return bytes <= kScratch ? scratch : nullptr; };
  const fd_status status = plugin->kernels->gemm.gemm[dtype](&context, &g);
  std::vector<T> found(c.host.size());
  plugin->copy(found.data(), c.data, found.size() * sizeof(T), FD_DEVICE_TO_HOST, stream);
  const int32_t code = plugin->synchronize(stream);
  if (status != FD_OK || code != 0) {
    std::fprintf(stderr, "%s: status %d, %s\n", describe(p, name).c_str(), int(status), plugin->error_text(code));
    std::exit(1);
  }
  std::vector<bool> written(found.size());
  int64_t wrong = 0;
  for (int64_t q = 0; q < p.batch; q++)
    for (int64_t i = 0; i < p.m; i++)
      for (int64_t j = 0; j < p.n; j++) {
        double sum = 0, size = 0;
        for (int64_t l = 0; l < p.k; l++) {
          const double x = a.at(q * g.batch_a + (p.trans_a ? l * g.lda + i : i * g.lda + l)) *
                           b.at(q * g.batch_b + (p.trans_b ? j * g.ldb + l : l * g.ldb + j));
          sum += x, size += std::fabs(x);
        }
        const int64_t at = q * g.batch_c + i * g.ldc + j;
        if (p.accumulate) sum += c.at(at);
        if (p.bias) sum += bias.at(j);
        double want = activate(p.activation, sum);
        if (p.gate >= 0) want *= slope(p.gate, y.at(at));
        const double got = convert<double>(found[size_t(at)]);
        const double allowed =
            rounding<T>(p) * (4 + std::sqrt(double(p.k))) * (size + 2) / 2 + kStored<T> * (std::fabs(want) + 0x1p-10);
        written[size_t(at)] = true;
        if (std::fabs(got - want) <= allowed) continue;
        if (wrong++ == 0)
          std::fprintf(stderr, "%s: (%ld, %ld, %ld) is %.9g, expected %.9g\n", describe(p, name).c_str(), long(q),
                       long(i), long(j), got, want);
      }
  for (size_t i = 0; i < found.size(); i++)
    if (!written[i] && std::memcmp(&found[i], &c.host[i], sizeof(T)) != 0) wrong++;
  return wrong == 0;
}

std::vector<Problem> problems() {
  std::vector<Problem> all;
  const auto every_way = [&all](Problem p) {
    for (int bits = 0; bits < 4; bits++) {
      p.trans_a = bits & 1, p.trans_b = bits & 2;
      all.push_back(p);
    }
  };
  for (int64_t edge : {1, 7, 8, 31, 32, 33, 64, 65}) {
    every_way({edge, 40, 24});
    every_way({24, edge, 40});
    every_way({40, 24, edge});
  }
  for (int64_t pad : {1, 3, 8}) every_way({37, 45, 50, 2, false, false, true, true, FD_ACT_RELU, -1, pad});
  every_way({40, 48, 64, 1, false, false, false, false, 0, -1, 0, 1});
  for (int kind : {FD_ACT_RELU, FD_ACT_SIGMOID, FD_ACT_TANH}) {
    all.push_back({33, 50, 21, 2, false, true, true, true, kind});
    all.push_back({33, 48, 200, 1, true, false, false, false, FD_ACT_NONE, kind});
  }
  every_way({16, 16, 1500});  // k in parts
  all.push_back({20, 24, 900, 3, false, true, true, true, FD_ACT_TANH});
  all.push_back({9, 20, 14, 5, false, false, false, true, FD_ACT_NONE, -1, 2, 0, true});
  all.push_back({4, 5, 0, 1, false, false, true, true});
  all.push_back({4, 5, 0});
  every_way({70, 66, 40, 24});    // 64 x 64 tiles of floats by their number
  every_way({136, 130, 40, 24});  // 128 x 128
  every_way({136, 136, 72, 12});  // Hopper's, 128 x 128
  every_way({72, 264, 40, 48, false, false, true, true, FD_ACT_NONE, FD_ACT_RELU, 8});  // and 128 x 256
  all.push_back({130, 200, 328, 24, false, true, false, true, FD_ACT_RELU, -1, 0, 0, true});
  all.push_back({136, 130, 40, 24, false, true, true, true, FD_ACT_RELU, FD_ACT_RELU, 3});
  return all;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return std::fprintf(stderr, "usage: gemm_parity PLUGIN [FILTER]\n"), 2;
  void* const library = dlopen(arguments[1], RTLD_NOW);
  if (!library) return std::fprintf(stderr, "%s\n", dlerror()), 2;
  plugin = reinterpret_cast<fd_plugin_entry*>(dlsym(library, "freedive_plugin"))();
  if (plugin->device_count() == 0) return std::fprintf(stderr, "%s\n", plugin->unavailable()), 2;
  must(plugin->use(0), "use");
  must(plugin->stream_create(&stream), "stream");
  must(plugin->allocate(kScratch, &scratch), "scratch");
  const std::string filter = count > 2 ? arguments[2] : "";
  int64_t checked = 0, failed = 0;
  const auto check = [&]<class T>(Problem p, fd_dtype dtype, const char* name) {
    if (describe(p, name).find(filter) == std::string::npos) return;
    checked++;
    failed += !right<T>(p, dtype, name);
  };
  for (Problem p : problems()) {
    check.operator()<float>(p, FD_F32, "float32");
    check.operator()<double>(p, FD_F64, "float64");
    check.operator()<Float16>(p, FD_F16, "float16");
    check.operator()<BFloat16>(p, FD_BF16, "bfloat16");
    p.tf32 = true;
    check.operator()<float>(p, FD_F32, "float32");
  }
  std::printf("gemm: %ld problems, %ld failed\n", long(checked), long(failed));
  return failed != 0;
}
