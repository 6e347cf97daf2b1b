// A minibatch gathered from images kept as bytes, scaled on the way: out = images[rows] * scale + shift in one pass.
#include "ops/checks.h"
#include "ops/ops.h"

namespace fd::ops {

Tensor minibatch(const Tensor& images, const Tensor& rows, double scale, double shift, DType dtype) {
  check<DTypeError>(images.dtype() == DType::uint8, "minibatch: images are ", images.dtype(), "; expected uint8");
  check<ShapeError>(images.dim() >= 1, "minibatch: images are 0-dimensional; expected (n, ...)");
  check<ShapeError>(rows.dim() == 1, "minibatch: rows has shape ", rows.shape(), "; expected one dimension");
  check<DTypeError>(is_integral(rows.dtype()) && rows.dtype() != DType::boolean, "minibatch: rows is ", rows.dtype(),
                    "; expected int64");
  check<DTypeError>(is_floating(dtype), "minibatch: dtype is ", dtype, "; expected a floating dtype");
  check_same_device("minibatch", images, rows);
  if (is_half(dtype)) return to(minibatch(images, rows, scale, shift, DType::float32), dtype);
  const Tensor from = contiguous(images), which = contiguous(to(rows, DType::int64));
  Shape shape = images.shape();
  shape[0] = rows.size(0);
  Tensor out = empty(shape, dtype, images.device());
  fd_minibatch args = {};
  args.n = rows.size(0);
  args.examples = images.size(0);
  args.inner = 1;
  for (int i = 1; i < shape.size(); i++) args.inner *= shape[i];
  args.rows = which.data_as<int64_t>();
  args.in = from.data_as<uint8_t>();
  args.out = out.data();
  args.scale = scale;
  args.shift = shift;
  run("minibatch", find(kernels(out.device()).index.minibatch[index(dtype)], "minibatch", dtype, out.device()), args,
      out.device(), 2 * bytes_of(out));
  return out;
}

}  // namespace fd::ops
