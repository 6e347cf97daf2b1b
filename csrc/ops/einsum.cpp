// Products over named dims. Einstein's sum becomes, pair by pair, one batched matrix product: labels in both operands
// and in what is still to come are the batch, labels in both and nowhere else are summed, the others are kept.
#include <cctype>
#include <cmath>

#include "ops/ops.h"

namespace fd::ops {

namespace {

constexpr int kLetters = 52;
constexpr int kLabels = kLetters + FD_MAX_DIMS;  // letters, then the dims behind an ellipsis, the last one first

int letter(char c) { return std::islower(static_cast<unsigned char>(c)) ? c - 'a' : c - 'A' + 26; }

// One label per dim of an operand or of the result.
struct Labels {
  int64_t at[FD_MAX_DIMS];
  int count = 0;
  void add(int64_t label) {
    check<ShapeError>(count < FD_MAX_DIMS, "einsum: more than ", int(FD_MAX_DIMS), " dimensions");
    at[count++] = label;
  }
  int find(int64_t label) const {
    for (int i = 0; i < count; i++)
      if (at[i] == label) return i;
    return -1;
  }
};

// Labels of a term whose ellipsis stands for ellipsis_dims dimensions.
Labels parse(const std::string& term, int ellipsis_dims) {
  Labels labels;
  for (size_t i = 0; i < term.size(); i++) {
    if (term.compare(i, 3, "...") == 0) {
      for (int d = ellipsis_dims - 1; d >= 0; d--) labels.add(kLetters + d);
      i += 2;
      continue;
    }
    check<ValueError>(std::isalpha(static_cast<unsigned char>(term[i])) != 0, "einsum: unexpected '", term[i],
                      "' in the equation; expected letters, commas, ... and ->");
    labels.add(letter(term[i]));
  }
  return labels;
}

struct Equation {
  std::vector<Labels> inputs;
  Labels output;
  int ellipsis = 0;  // dims behind the longest ellipsis
};

std::vector<std::string> split_terms(const std::string& text) {
  std::vector<std::string> terms(1);
  for (char c : text) {
    if (c == ',')
      terms.emplace_back();
    else
      terms.back() += c;
  }
  return terms;
}

Equation parse_equation(const std::string& given, const std::vector<Tensor>& operands) {
  std::string text;
  for (char c : given)
    if (!std::isspace(static_cast<unsigned char>(c))) text += c;
  const size_t arrow = text.find("->");
  const std::vector<std::string> terms = split_terms(text.substr(0, arrow));
  check<ValueError>(terms.size() == operands.size(), "einsum: the equation has ", terms.size(), " operands but ",
                    operands.size(), " tensors are given");
  Equation e;
  int uses[kLabels] = {};
  for (size_t i = 0; i < terms.size(); i++) {
    const size_t dots = terms[i].find("...");
    const bool spread = dots != std::string::npos;
    check<ValueError>(!spread || terms[i].find("...", dots + 3) == std::string::npos,
                      "einsum: more than one ellipsis in '", terms[i], "'");
    const int named = static_cast<int>(terms[i].size()) - (spread ? 3 : 0), dims = operands[i].dim();
    check<ShapeError>(spread ? named <= dims : named == dims, "einsum: '", terms[i], "' does not name the ", dims,
                      " dimensions of operand ", i);
    e.inputs.push_back(parse(terms[i], spread ? dims - named : 0));
    e.ellipsis = std::max(e.ellipsis, spread ? dims - named : 0);
    for (int d = 0; d < dims; d++) uses[e.inputs.back().at[d]]++;
  }
  if (arrow != std::string::npos) {
    e.output = parse(text.substr(arrow + 2), e.ellipsis);
  } else {
    for (int d = e.ellipsis - 1; d >= 0; d--) e.output.add(kLetters + d);
    for (char c : std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
      if (uses[letter(c)] == 1) e.output.add(letter(c));
  }
  for (int i = 0; i < e.output.count; i++) {
    const int64_t label = e.output.at[i];
    check<ValueError>(uses[label] > 0, "einsum: the output names a dimension that no operand has");
    check<ValueError>(e.output.find(label) == i, "einsum: the output names a dimension twice");
  }
  return e;
}

// A tensor whose dims carry distinct labels.
struct Named {
  Tensor t;
  Labels labels;

  int64_t size(int64_t label) const {
    const int d = labels.find(label);
    return d < 0 ? 1 : t.size(d);
  }
  void merge_repeated() {
    for (int i = 0; i < labels.count; i++)
      for (int j = i + 1; j < labels.count; j++) {
        if (labels.at[i] != labels.at[j]) continue;
        check<ShapeError>(t.size(i) == t.size(j), "einsum: a repeated label has sizes ", t.size(i), " and ", t.size(j));
        t = movedim(diagonal(t, 0, i, j), {-1}, {i});
        remove(j--);
      }
  }
  void remove(int d) {
    for (int i = d; i + 1 < labels.count; i++) labels.at[i] = labels.at[i + 1];
    labels.count--;
  }
  // Sums over labels that `wanted` says nobody needs any more.
  template <class Wanted>
  void sum_out(Wanted wanted) {
    Dims dims;
    for (int i = labels.count - 1; i >= 0; i--) {
      if (wanted(labels.at[i])) continue;
      dims.push_back(i);
    }
    if (dims.empty()) return;
    t = sum(t, dims);
    for (int64_t d : dims) remove(static_cast<int>(d));
  }
  // Dims in the order of groups, one after another; labels it lacks become dims of size 1.
  Tensor arranged(std::initializer_list<const Labels*> groups) const {
    Dims order;
    Tensor out = t;
    int dims = labels.count;
    for (const Labels* g : groups)
      for (int i = 0; i < g->count; i++) {
        const int d = labels.find(g->at[i]);
        if (d < 0) out = unsqueeze(out, dims);
        order.push_back(d < 0 ? dims++ : d);
      }
    return permute(out, order);
  }
};

int64_t product(const Named& n, const Labels& labels) {
  int64_t p = 1;
  for (int i = 0; i < labels.count; i++) p *= n.size(labels.at[i]);
  return p;
}

template <class Wanted>
Named contract(Named a, Named b, Wanted wanted) {
  // A size of 1 on one side only is broadcast: it is no partner in a product.
  auto in_both = [&](int64_t l) { return a.labels.find(l) >= 0 && b.labels.find(l) >= 0; };
  a.sum_out([&](int64_t l) { return wanted(l) || b.labels.find(l) >= 0; });
  b.sum_out([&](int64_t l) { return wanted(l) || a.labels.find(l) >= 0; });
  for (int i = 0; i < a.labels.count; i++) {
    const int64_t l = a.labels.at[i], x = a.size(l), y = b.size(l);
    if (!in_both(l) || x == y) continue;
    check<ShapeError>(x == 1 || y == 1, "einsum: a label has sizes ", x, " and ", y, " in two operands");
    Named& narrow_one = x == 1 ? a : b;
    Shape shape = narrow_one.t.shape();
    shape[narrow_one.labels.find(l)] = std::max(x, y);
    if (x == 0 || y == 0) shape[narrow_one.labels.find(l)] = 0;
    narrow_one.t = expand(narrow_one.t, shape);
  }
  Labels batch, left, right, summed, result;
  for (int i = 0; i < a.labels.count; i++) {
    const int64_t l = a.labels.at[i];
    (!in_both(l) ? left : wanted(l) ? batch : summed).add(l);
  }
  for (int i = 0; i < b.labels.count; i++)
    if (!in_both(b.labels.at[i])) right.add(b.labels.at[i]);
  Shape shape;
  for (const auto& [named, group] : {std::pair{&a, &batch}, std::pair{&a, &left}, std::pair{&b, &right}})
    for (int i = 0; i < group->count; i++) {
      result.add(group->at[i]);
      shape.push_back(named->size(group->at[i]));
    }
  if (summed.count == 0) {  // nothing to sum: an elementwise product
    const Tensor x = a.arranged({&batch, &left, &right}), y = b.arranged({&batch, &left, &right});
    return {mul(x, y), result};
  }
  const int64_t nb = product(a, batch), nl = product(a, left), nr = product(b, right), ns = product(a, summed);
  const Tensor x = reshape(a.arranged({&batch, &left, &summed}), {nb, nl, ns});
  const Tensor y = reshape(b.arranged({&batch, &summed, &right}), {nb, ns, nr});
  return {reshape(bmm(x, y), shape), result};
}

}  // namespace

Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands) {
  check<ValueError>(!operands.empty(), "einsum: expected at least one tensor");
  const Equation e = parse_equation(equation, operands);
  std::vector<Named> rest;
  for (size_t i = 0; i < operands.size(); i++) {
    rest.push_back({operands[i], e.inputs[i]});
    rest.back().merge_repeated();
  }
  Named sum = rest[0];
  for (size_t i = 1; i < rest.size(); i++)
    sum = contract(sum, rest[i], [&](int64_t label) {
      bool used = e.output.find(label) >= 0;
      for (size_t j = i + 1; j < rest.size(); j++) used |= rest[j].labels.find(label) >= 0;
      return used;
    });
  sum.sum_out([&](int64_t label) { return e.output.find(label) >= 0; });
  return sum.arranged({&e.output});
}

Tensor tensordot(const Tensor& a, const Tensor& b, const Dims& dims_a, const Dims& dims_b) {
  check<ShapeError>(dims_a.size() == dims_b.size(), "tensordot: ", dims_a.size(), " dims of the first tensor but ",
                    dims_b.size(), " of the second");
  Dims order_a, order_b;
  Shape shape;
  uint32_t summed_a = 0, summed_b = 0;
  int64_t n = 1;
  for (int i = 0; i < dims_a.size(); i++) {
    const int x = normalize_dim("tensordot", dims_a[i], a.dim()), y = normalize_dim("tensordot", dims_b[i], b.dim());
    check<ShapeError>(a.size(x) == b.size(y), "tensordot: dim ", x, " of size ", a.size(x), " against dim ", y,
                      " of size ", b.size(y));
    summed_a |= 1u << x;
    summed_b |= 1u << y;
    n *= a.size(x);
  }
  int64_t rows = 1, cols = 1;
  for (int i = 0; i < a.dim(); i++) {
    if (summed_a >> i & 1) continue;
    order_a.push_back(i);
    shape.push_back(a.size(i));
    rows *= a.size(i);
  }
  for (int64_t d : dims_a) order_a.push_back(normalize_dim("tensordot", d, a.dim()));
  for (int64_t d : dims_b) order_b.push_back(normalize_dim("tensordot", d, b.dim()));
  for (int i = 0; i < b.dim(); i++) {
    if (summed_b >> i & 1) continue;
    order_b.push_back(i);
    shape.push_back(b.size(i));
    cols *= b.size(i);
  }
  return reshape(mm(reshape(permute(a, order_a), {rows, n}), reshape(permute(b, order_b), {n, cols})), shape);
}

Tensor outer(const Tensor& a, const Tensor& b) {
  check<ShapeError>(a.dim() == 1 && b.dim() == 1, "outer: expected two vectors, got shapes ", a.shape(), " and ",
                    b.shape());
  return mul(unsqueeze(a, 1), b);
}

Tensor cross(const Tensor& a, const Tensor& b, int64_t dim) {
  const Shape shape = broadcast("cross", a.shape(), b.shape());
  const int d = normalize_dim("cross", dim, shape.size());
  check<ShapeError>(!shape.empty() && shape[d] == 3, "cross: dim ", dim, " of shape ", shape, " must have size 3");
  const Tensor x = expand(a, shape), y = expand(b, shape);
  auto part = [d](const Tensor& t, int64_t i) { return select(t, d, i); };
  std::vector<Tensor> parts;
  for (int64_t i = 0; i < 3; i++) {
    const int64_t j = (i + 1) % 3, k = (i + 2) % 3;
    parts.push_back(sub(mul(part(x, j), part(y, k)), mul(part(x, k), part(y, j))));
  }
  return stack(parts, d);
}

Tensor kron(const Tensor& a, const Tensor& b) {
  const int dims = std::max(a.dim(), b.dim());
  Shape shape, left, right;
  for (int i = 0; i < dims; i++) {
    const int x = i - (dims - a.dim()), y = i - (dims - b.dim());
    const int64_t m = x < 0 ? 1 : a.size(x), n = y < 0 ? 1 : b.size(y);
    shape.push_back(m * n);
    left.push_back(m);
    left.push_back(1);
    right.push_back(1);
    right.push_back(n);
  }
  return reshape(mul(reshape(a, left), reshape(b, right)), shape);
}

Tensor cdist(const Tensor& a, const Tensor& b, double p) {
  check<ShapeError>(a.dim() >= 2 && b.dim() >= 2 && a.size(a.dim() - 1) == b.size(b.dim() - 1),
                    "cdist: expected [..., m, d] and [..., n, d], got ", a.shape(), " and ", b.shape());
  check<ValueError>(p >= 0, "cdist: p must not be negative, got ", p);
  const Tensor difference = sub(unsqueeze(a, -2), unsqueeze(b, -3));
  if (p == 2) return reduce(FD_REDUCE_NORM2, difference, {-1}, false);
  if (p == 1) return reduce(FD_REDUCE_NORM1, difference, {-1}, false);
  const Tensor size = unary(FD_ABS, difference);
  if (p == INFINITY) return reduce(FD_REDUCE_MAX, size, {-1}, false);
  if (p == 0) return sum(to(compare(FD_NE, size, 0), a.dtype()), {-1});
  return pow(sum(pow(size, p), {-1}), 1 / p);
}

Tensor cov(const Tensor& t, double correction) {
  check<ShapeError>(t.dim() <= 2, "cov: expected at most two dimensions, got shape ", t.shape());
  const Tensor rows = t.dim() == 2 ? t : reshape(t, {1, t.numel()});
  const Tensor centred = sub(rows, mean(rows, {1}, true));
  const double n = static_cast<double>(rows.size(1)) - correction;
  const Tensor out = div(mm(centred, transpose(centred, 0, 1)), std::max(n, 0.0));
  return t.dim() == 2 ? out : reshape(out, {});
}

Tensor corrcoef(const Tensor& t) {
  const Tensor c = cov(t, 1);
  if (c.dim() == 0) return div(c, c);
  const Tensor deviation = unary(FD_SQRT, diagonal(c, 0, 0, 1));
  const Tensor out = div(div(c, unsqueeze(deviation, 1)), deviation);
  constexpr double limits[3] = {-1, 1, 0};
  return unary(FD_CLAMP, out, limits);
}

}  // namespace fd::ops
