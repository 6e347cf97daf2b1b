#include "layout.h"

namespace fd::native {

namespace {

std::vector<int64_t> contiguous(const std::vector<int64_t>& size) {
  std::vector<int64_t> step(size.size());
  int64_t next = 1;
  for (size_t d = size.size(); d-- > 0;) {
    step[d] = next;
    next *= std::max<int64_t>(size[d], 1);
  }
  return step;
}

Layout plain(const std::string& name, const std::vector<int64_t>& size, int operands) {
  Layout l{name, size, {contiguous(size)}, {}, false};
  for (int k = 0; k < operands; k++) l.in[k].step = l.out.step;
  return l;
}

}  // namespace

std::vector<Layout> layouts(int operands, bool in_place) {
  std::vector<Layout> all;
  for (int64_t n : kSizes) all.push_back(plain(text("contiguous ", n), {n}, operands));
  all.push_back(plain("contiguous 70001", {70001}, operands));
  all.back().large = true;
  all.push_back(plain("single", {}, operands));
  all.push_back(plain("empty 3x0", {3, 0}, operands));

  for (int64_t step : {2, -1, 3, -2, 0}) {
    for (int k = 0; k < operands; k++) {
      all.push_back(plain(text("stride ", step, " of operand ", k), {67}, operands));
      all.back().in[k].step = {step};
    }
    if (step == 0) continue;
    all.push_back(plain(text("stride ", step, " of the output"), {67}, operands));
    all.back().out.step = {step};
  }
  for (int k = 0; k < operands; k++) {
    all.push_back(plain(text("scalar operand ", k), {35}, operands));
    all.back().in[k].scalar = true;
    all.push_back(plain(text("scalar operand ", k, ", rows apart"), {5, 19}, operands));
    all.back().in[k].scalar = true;
    all.back().out.step = {21, 1};
    all.push_back(plain(text("row broadcast of operand ", k), {9, 33}, operands));
    all.back().in[k].step = {0, 1};
    all.push_back(plain(text("column broadcast of operand ", k), {33, 9}, operands));
    all.back().in[k].step = {1, 0};
    all.push_back(plain(text("column broadcast of operand ", k, " wide"), {7, 70}, operands));
    all.back().in[k].step = {1, 0};
    all.push_back(plain(text("transposed operand ", k), {21, 37}, operands));
    all.back().in[k].step = {1, 21};
    all.push_back(plain(text("padded 3-d operand ", k), {3, 5, 17}, operands));
    all.back().in[k].step = {101, 19, 1};
    all.push_back(plain(text("odd 4-d operand ", k), {2, 3, 4, 5}, operands));
    all.back().in[k].step = {-1, 40, 0, 7};
    if (!in_place) continue;
    all.push_back(plain(text("output over operand ", k), {131}, operands));
    all.back().in[k].same = true;
    all.push_back(plain(text("output over strided operand ", k), {9, 20}, operands));
    all.back().out.step = all.back().in[k].step = {41, 2};
    all.back().in[k].same = true;
  }
  if (operands > 1) {
    all.push_back(plain("all operands scalar", {40}, operands));
    for (int k = 0; k < operands; k++) all.back().in[k].scalar = true;
    all.push_back(plain("outer product", {19, 23}, operands));
    all.back().in[0].step = {1, 0};
    all.back().in[1].step = {0, 1};
  }
  if (operands > 1 && in_place) {
    all.push_back(plain("output over all operands", {77}, operands));
    for (int k = 0; k < operands; k++) all.back().in[k].same = true;
  }
  const int last = operands - 1;  // large ones cost time: one operand stands for all
  all.push_back(plain("scalar last operand, large", {70001}, operands));
  all.back().in[last].scalar = true;
  all.back().large = true;
  all.push_back(plain("row broadcast of the last operand, large", {300, 250}, operands));
  all.back().in[last].step = {0, 1};
  all.back().large = true;
  all.push_back(plain("transposed last operand, large", {260, 270}, operands));
  all.back().in[last].step = {1, 260};
  all.back().large = true;
  all.push_back(plain("transposed output", {21, 37}, operands));
  all.back().out.step = {1, 21};
  all.push_back(plain("reversed 8-d", {2, 1, 2, 1, 3, 1, 2, 2}, operands));
  for (int64_t& s : all.back().out.step) s = -s;
  return all;
}

Extent extent(const std::vector<int64_t>& size, const std::vector<int64_t>& step) {
  int64_t low = 0, high = 0;
  for (size_t d = 0; d < size.size(); d++) {
    if (size[d] == 0) return {0, 0};
    (step[d] < 0 ? low : high) += (size[d] - 1) * step[d];
  }
  return {high - low + 1, -low};
}

}  // namespace fd::native
