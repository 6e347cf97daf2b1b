// Joining and splitting tensors, and the same elements in other places.
#include "bindings/bind.h"
#include "bindings/results.h"

namespace fd::bindings {

namespace {

using MaybeInt = std::optional<int64_t>;

// f(tensors, dim) under names, with axis= as another name of dim.
template <class F>
void bind_join(nb::module_& m, std::initializer_list<const char*> names, F f, const char* doc) {
  for (const char* name : names) {
    m.def(name, f, "tensors"_a, "dim"_a = 0, doc);
    m.def(name, f, "tensors"_a, nb::kw_only(), "axis"_a, doc);
    m.def(
        name,
        [f, name](const Tensors& tensors, int64_t dim, const Tensor& out) { return into(name, out, f(tensors, dim)); },
        "tensors"_a, "dim"_a = 0, nb::kw_only(), "out"_a, doc);
  }
}

// Every tensor given at least one dim of its own where NumPy's stacking functions want that.
Tensors at_least(const Tensors& tensors, Tensor (*raise)(const Tensor&)) {
  Tensors out;
  for (const Tensor& t : tensors) out.push_back(raise(t));
  return out;
}

Tensor atleast_1d(const Tensor& t) { return t.dim() >= 1 ? t : ops::reshape(t, {1}); }
Tensor atleast_2d(const Tensor& t) {
  return t.dim() >= 2 ? t : t.dim() == 0 ? ops::reshape(t, {1, 1}) : ops::unsqueeze(t, 0);
}
Tensor atleast_3d(const Tensor& t) {
  return t.dim() >= 3 ? t : t.dim() == 0 ? ops::reshape(t, {1, 1, 1}) : ops::unsqueeze(atleast_2d(t), -1);
}
Tensor as_column(const Tensor& t) { return t.dim() <= 1 ? ops::reshape(t, {t.numel(), 1}) : t; }

void bind_joins(nb::module_& m) {
  const auto cat = [](const Tensors& tensors, int64_t dim) { return ops::cat(tensors, dim); };
  bind_join(m, {"cat", "concat", "concatenate"}, cat,
            "The tensors one after another along dim; other sizes must agree (book section 2.1). Dtypes are promoted.");
  const auto stack = [](const Tensors& tensors, int64_t dim) { return ops::stack(tensors, dim); };
  bind_join(m, {"stack"}, stack, "Tensors of one shape along a new dimension dim.");
  m.def(
      "hstack",
      [](const Tensors& tensors) {
        const Tensors raised = at_least(tensors, atleast_1d);
        return ops::cat(raised, !raised.empty() && raised[0].dim() == 1 ? 0 : 1);
      },
      "tensors"_a, "The tensors side by side: along dim 1, vectors along dim 0.");
  for (const char* name : {"vstack", "row_stack"})
    m.def(
        name, [](const Tensors& tensors) { return ops::cat(at_least(tensors, atleast_2d), 0); }, "tensors"_a,
        "The tensors as rows, one below another.");
  m.def(
      "dstack", [](const Tensors& tensors) { return ops::cat(at_least(tensors, atleast_3d), 2); }, "tensors"_a,
      "The tensors along dim 2.");
  m.def(
      "column_stack", [](const Tensors& tensors) { return ops::cat(at_least(tensors, as_column), 1); }, "tensors"_a,
      "The tensors side by side, vectors as columns.");
}

void bind_splits(nb::module_& m) {
  using Sizes = std::vector<int64_t>;
  const char* doc = "Views of split_size each (the last may be smaller), or of the listed sizes, along dim.";
  const auto by_size = [](const Tensor& t, int64_t size, int64_t dim) { return tuple_of(ops::split(t, size, dim)); };
  const auto by_sizes = [](const Tensor& t, const Sizes& sizes, int64_t dim) {
    return tuple_of(ops::split(t, sizes, dim));
  };
  m.def("split", by_size, "tensor"_a, "split_size_or_sections"_a, "dim"_a = 0, doc);
  m.def("split", by_sizes, "tensor"_a, "split_size_or_sections"_a, "dim"_a = 0, doc);
  method("split", by_size, "split_size"_a, "dim"_a = 0, doc);
  method("split", by_sizes, "split_size"_a, "dim"_a = 0, doc);
  const auto chunk = [](const Tensor& t, int64_t chunks, int64_t dim) { return tuple_of(ops::chunk(t, chunks, dim)); };
  function_and_method(m, "chunk", chunk, "chunks"_a, "dim"_a = 0,
                      "At most `chunks` views of equal size (the last may be smaller) along dim.");
  const char* at =
      "`sections` views whose sizes differ by at most one, or views cut at the listed positions, along dim.";
  const auto by_count = [](const Tensor& t, int64_t sections, int64_t dim) {
    return tuple_of(ops::tensor_split(t, sections, dim));
  };
  const auto by_cuts = [](const Tensor& t, const Sizes& indices, int64_t dim) {
    return tuple_of(ops::tensor_split(t, indices, dim));
  };
  function_and_method(m, "tensor_split", by_count, "sections"_a, "dim"_a = 0, at);
  function_and_method(m, "tensor_split", by_cuts, "indices"_a, "dim"_a = 0, at);
  const auto unbind = [](const Tensor& t, int64_t dim) { return tuple_of(ops::unbind(t, dim)); };
  function_and_method(m, "unbind", unbind, "dim"_a = 0, "Views of every position along dim, without that dimension.");
}

void bind_turns(nb::module_& m) {
  const char* flip = "The order reversed along dims (a copy).";
  m.def("flip", ops::flip, "input"_a, "dims"_a, flip);
  method(
      "flip", [](const Tensor& t, const nb::args& dims) { return ops::flip(t, dims_of(dims, "flip")); }, "dims"_a,
      flip);
  method("flip", ops::flip, "dims"_a, flip);
  const auto flip_at = [](const char* op, int dim) {
    return [op, dim](const Tensor& t) {
      check<ShapeError>(t.dim() > dim, op, ": expected at least ", dim + 1, " dimensions, got shape ", t.shape());
      return ops::flip(t, {dim});
    };
  };
  function_and_method(m, "fliplr", flip_at("fliplr", 1), "The order reversed along dim 1.");
  function_and_method(m, "flipud", flip_at("flipud", 0), "The order reversed along dim 0.");
  const auto roll = [](const Tensor& t, const Dims& shifts, const std::optional<Dims>& dims) {
    return ops::roll(t, shifts, dims.value_or(Dims()));
  };
  function_and_method(m, "roll", roll, "shifts"_a, "dims"_a = nb::none(),
                      "Shifted along dims; what leaves at the end comes back in front. Without dims: flattened.");
  const auto rot90 = [](const Tensor& t, int64_t k, const Dims& dims) { return ops::rot90(t, k, dims); };
  function_and_method(m, "rot90", rot90, "k"_a = 1, "dims"_a = nb::make_tuple(0, 1),
                      "Turned by k times 90 degrees from the first of dims towards the second.");
  const auto movedim = [](const Tensor& t, const Dims& source, const Dims& destination) {
    return ops::movedim(t, source, destination);
  };
  for (const char* name : {"movedim", "moveaxis"})
    function_and_method(m, name, movedim, "source"_a, "destination"_a,
                        "Dimensions moved to new places, the others in their order (a view).");
}

void bind_repeats(nb::module_& m) {
  const char* repeat = "The tensor repeated sizes[i] times along each dimension (a copy); more sizes add dimensions.";
  method(
      "repeat", [](const Tensor& t, const nb::args& sizes) { return ops::repeat(t, dims_of(sizes, "repeat")); },
      "sizes"_a, repeat);
  const char* tile = "The tensor repeated dims[i] times along each dimension; missing ones count as 1.";
  m.def("tile", ops::tile, "input"_a, "dims"_a, tile);
  method(
      "tile", [](const Tensor& t, const nb::args& dims) { return ops::tile(t, dims_of(dims, "tile")); }, "dims"_a,
      tile);
  const char* interleave =
      "Each element repeated in place, `repeats` times or as often as a tensor of counts says, along dim or flattened.";
  const auto by_number = [](const Tensor& t, int64_t repeats, MaybeInt dim, MaybeInt) {
    return ops::repeat_interleave(t, repeats, dim);
  };
  const auto by_counts = [](const Tensor& t, const Tensor& repeats, MaybeInt dim, MaybeInt output_size) {
    Tensor out = ops::repeat_interleave(t, repeats, dim);
    const int d = dim ? normalize_dim("repeat_interleave", *dim, t.dim()) : 0;
    check<ShapeError>(!output_size || *output_size == out.size(d), "repeat_interleave: output_size is ",
                      output_size.value_or(0), " but the repeats sum to ", out.size(d));
    return out;
  };
  function_and_method(m, "repeat_interleave", by_number, "repeats"_a, "dim"_a = nb::none(), nb::kw_only(),
                      "output_size"_a = nb::none(), interleave);
  function_and_method(m, "repeat_interleave", by_counts, "repeats"_a, "dim"_a = nb::none(), nb::kw_only(),
                      "output_size"_a = nb::none(), interleave);
  m.def("repeat_interleave", ops::repeated_indices, "repeats"_a,
        "0 repeats[0] times, 1 repeats[1] times, and so on, int64.");
}

void bind_diagonals(nb::module_& m) {
  const auto triangle = [](bool lower) {
    return [lower](const Tensor& t, int64_t diagonal) { return ops::triangle(t, diagonal, lower); };
  };
  const auto triangle_ = [](bool lower) {
    return [lower](const Tensor& t, int64_t d) { return ops::copy_(t, ops::triangle(t, d, lower)); };
  };
  function_and_method(m, "tril", triangle(true), "diagonal"_a = 0, "The lower triangle of matrices, the rest 0.");
  function_and_method(m, "triu", triangle(false), "diagonal"_a = 0, "The upper triangle of matrices, the rest 0.");
  method("tril_", triangle_(true), "diagonal"_a = 0, "tril in place.");
  method("triu_", triangle_(false), "diagonal"_a = 0, "triu in place.");
  function_and_method(m, "diag", ops::diag, "diagonal"_a = 0,
                      "A matrix with the vector on its diagonal, or the diagonal of a matrix (a copy).");
  function_and_method(m, "diagonal", ops::diagonal, "offset"_a = 0, "dim1"_a = 0, "dim2"_a = 1,
                      "The diagonal over dim1 and dim2 as the last dimension (a view).");
  function_and_method(m, "diag_embed", ops::diag_embed, "offset"_a = 0, "dim1"_a = -2, "dim2"_a = -1,
                      "Matrices with the last dimension on their diagonals.");
  const auto diagflat = [](const Tensor& t, int64_t offset) { return ops::diag(ops::reshape(t, {t.numel()}), offset); };
  function_and_method(m, "diagflat", diagflat, "offset"_a = 0, "A matrix with all elements on its diagonal.");
  function_and_method(m, "trace", ops::trace, "The sum of a matrix' diagonal.");
}

void bind_shapes(nb::module_& m) {
  function_and_method(m, "unflatten", ops::unflatten, "dim"_a, "sizes"_a,
                      "Dimension dim as several of the given sizes (one may be -1).");
  function_and_method(
      m, "ravel", [](const Tensor& t) { return ops::reshape(ops::contiguous(t), {t.numel()}); },
      "The elements in one dimension.");
  const auto broadcast_to = [](const Tensor& t, const Shape& size) { return ops::expand(t, size); };
  function_and_method(m, "broadcast_to", broadcast_to, "size"_a, "Expanded to size without a copy.");
  method(
      "expand_as", [](const Tensor& t, const Tensor& other) { return ops::expand(t, other.shape()); }, "other"_a,
      "Expanded to other's shape without a copy.");
  method(
      "reshape_as", [](const Tensor& t, const Tensor& other) { return ops::reshape(t, other.shape()); }, "other"_a,
      "In other's shape.");
  method(
      "view_as", [](const Tensor& t, const Tensor& other) { return ops::view(t, other.shape()); }, "other"_a,
      "In other's shape, without a copy.");
  method("unfold", ops::unfold, "dimension"_a, "size"_a, "step"_a,
         "Windows of `size` every `step` along a dimension, as a new last dimension (a view).");
  const auto atleast = [&m](const char* name, Tensor (*raise)(const Tensor&), const char* doc) {
    m.def(
        name,
        [name, raise](const nb::args& tensors) -> nb::object {
          const Tensors raised = at_least(tensors_of(tensors, name), raise);
          return tensors.size() == 1 && raised.size() == 1 && is_tensor(nb::handle(tensors[0]).ptr())
                     ? nb::cast(raised[0])
                     : tuple_of(raised);
        },
        "tensors"_a, doc);
  };
  atleast("atleast_1d", atleast_1d, "With at least one dimension.");
  atleast("atleast_2d", atleast_2d, "With at least two dimensions, new ones in front.");
  atleast("atleast_3d", atleast_3d, "With at least three dimensions.");
  m.def(
      "broadcast_tensors",
      [](const nb::args& tensors) {
        return tuple_of(ops::broadcast_tensors(tensors_of(tensors, "broadcast_tensors")));
      },
      "tensors"_a, "The tensors expanded to the shape they broadcast to.");
  m.def(
      "broadcast_shapes",
      [](const nb::args& shapes) {
        Shape out;
        for (nb::handle item : shapes) {
          Dims shape;
          check<DTypeError>(parse_dims(item.ptr(), &shape), "broadcast_shapes: expected tuples of ints");
          out = broadcast("broadcast_shapes", out, shape);
        }
        return out;
      },
      "shapes"_a, "The shape that the shapes broadcast to.");
  m.def(
      "meshgrid",
      [](const nb::args& tensors, const std::optional<std::string>& indexing) {
        check<ValueError>(!indexing || *indexing == "ij" || *indexing == "xy",
                          "meshgrid: indexing must be 'ij' or 'xy', got '", indexing.value_or(""), "'");
        return tuple_of(ops::meshgrid(tensors_of(tensors, "meshgrid"), indexing == "xy"));
      },
      "tensors"_a, "indexing"_a = nb::none(),
      "Coordinate grids of vectors (book section 12.2): grid i varies along dim i; indexing='xy' swaps the first two.");
}

void bind_pad(nb::module_& m) {
  m.def(
      "pad",
      [](const Tensor& t, const std::vector<int64_t>& pad, const std::string& mode, std::optional<Scalar> value) {
        constexpr const char* modes[] = {"constant", "reflect", "replicate", "circular"};
        int i = 0;
        while (i < 4 && mode != modes[i]) i++;
        check<ValueError>(i < 4, "pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', got '", mode,
                          "'");
        check<ValueError>(i == 0 || !value || value->to_double() == 0, "pad: mode '", mode, "' takes no value");
        return ops::pad(t, pad, static_cast<ops::PadMode>(i), value.value_or(Scalar(0)));
      },
      "input"_a, "pad"_a, "mode"_a = "constant", "value"_a = nb::none(),
      "Borders around the last dimensions: (before, after) of the last, then of the one before it; negative widths "
      "crop (book section 7.3).");
}

}  // namespace

void bind_move(nb::module_& m) {
  bind_joins(m);
  bind_splits(m);
  bind_turns(m);
  bind_repeats(m);
  bind_diagonals(m);
  bind_shapes(m);
  bind_pad(m);
}

}  // namespace fd::bindings
