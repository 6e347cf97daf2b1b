// Shapes and windows on the same memory.
#include "bindings/bind.h"
#include "bindings/caster.h"

namespace fd::bindings {

void bind_view(nb::module_& m) {
  m.def(
      "reshape", [](const Tensor& t, const Dims& shape) { return ops::reshape(t, shape); }, "input"_a, "shape"_a,
      "The elements in another shape (one size may be -1); a view where possible, else a copy (book section 2.1).");
  method(
      "reshape", [](const Tensor& t, const Dims& shape) { return ops::reshape(t, shape); }, "shape"_a,
      "The elements in another shape (one size may be -1).");
  method(
      "reshape", [](const Tensor& t, const nb::args& shape) { return ops::reshape(t, dims_of(shape, "reshape")); },
      "shape"_a, "The elements in another shape (one size may be -1).");
  method(
      "view", [](const Tensor& t, const Dims& shape) { return ops::view(t, shape); }, "shape"_a,
      "The elements in another shape without a copy. Raises ShapeError where that is impossible.");
  method(
      "view",
      [](const Tensor& t, DType dtype) {
        check<DTypeError>(item_size(dtype) == item_size(t.dtype()), "view: ", t.dtype(), " and ", dtype,
                          " have elements of different size");
        return TensorImpl::create(t->storage, t->data, dtype, t.shape(), t.strides());
      },
      "dtype"_a, "The same bytes read as another dtype of the same size.");
  method(
      "view", [](const Tensor& t, const nb::args& shape) { return ops::view(t, dims_of(shape, "view")); }, "shape"_a,
      "The elements in another shape without a copy.");
  m.def(
      "permute", [](const Tensor& t, const Dims& dims) { return ops::permute(t, dims); }, "input"_a, "dims"_a,
      "The dimensions in another order (a view).");
  method("permute", ops::permute, "dims"_a, "The dimensions in another order (a view).");
  method(
      "permute", [](const Tensor& t, const nb::args& dims) { return ops::permute(t, dims_of(dims, "permute")); },
      "dims"_a, "The dimensions in another order (a view).");
  constexpr const char* swapped = "Two dimensions swapped (a view).";
  for (const char* name : {"transpose", "swapdims"})
    function_and_method(m, name, ops::transpose, "dim0"_a, "dim1"_a, swapped);
  function_and_method(m, "swapaxes", ops::transpose, "axis0"_a, "axis1"_a, swapped);
  function_and_method(
      m, "t",
      [](const Tensor& t) {
        check<ShapeError>(t.dim() <= 2, "t: expected at most two dimensions, got shape ", t.shape());
        return t.dim() < 2 ? ops::transpose(t, 0, 0) : ops::transpose(t, 0, 1);
      },
      "The matrix transposed (a view).");
  method(
      "expand", [](const Tensor& t, const nb::args& size) { return ops::expand(t, dims_of(size, "expand")); }, "size"_a,
      "Dimensions of size 1 repeated without a copy; -1 keeps a size.");
  function_and_method(
      m, "squeeze", [](const Tensor& t) { return ops::squeeze(t, std::nullopt); }, "Without dimensions of size 1.");
  function_and_method(
      m, "squeeze", [](const Tensor& t, const Dims& dim) { return ops::squeeze(t, dim); }, "dim"_a,
      "Without the named dimensions where their size is 1.");
  function_and_method(m, "unsqueeze", ops::unsqueeze, "dim"_a, "With a dimension of size 1 inserted at dim.");
  function_and_method(m, "flatten", ops::flatten, "start_dim"_a = 0, "end_dim"_a = -1,
                      "Dimensions start_dim to end_dim as one.");
  function_and_method(m, "narrow", ops::narrow, "dim"_a, "start"_a, "length"_a,
                      "length elements from start along dim (a view).");
  function_and_method(m, "select", ops::select, "dim"_a, "index"_a,
                      "One position along dim (a view without that dimension).");
  function_and_method(m, "detach", ops::detach, "The same memory without history.");
  function_and_method(
      m, "as_strided",
      [](const Tensor& t, const Dims& size, const Dims& stride, std::optional<int64_t> offset) {
        return ops::as_strided(t, size, stride, offset.value_or(t->storage_offset()));
      },
      "size"_a, "stride"_a, "storage_offset"_a = nb::none(),
      "A window on the storage with any size and strides (in elements).");
}

}  // namespace fd::bindings
