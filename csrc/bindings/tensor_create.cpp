// New tensors, conversions between dtypes and devices, and a tensor's contents as Python values.
#include "bindings/bind.h"
#include "bindings/caster.h"
#include "bindings/interop.h"
#include "bindings/literal.h"

namespace fd::bindings {

namespace {

using MaybeDType = std::optional<DType>;

Device device_of(const nb::object& o) {
  Device d;
  if (o.is_none()) return d;
  if (PyUnicode_Check(o.ptr())) {
    return nb::cast<Device>(nb::type<Device>()(o));  // the constructor names what is wrong
  }
  check<DTypeError>(parse_device(o.ptr(), &d), "device: expected a device or a string such as 'cpu' or 'cuda:0'");
  return d;
}

Tensor finished(Tensor t, bool requires_grad) {
  if (requires_grad) set_requires_grad(t, true);
  return t;
}

// zeros(2, 3), zeros((2, 3)) and zeros(size=(2, 3)), with the options all constructors share.
template <class F>
void bind_sized(nb::module_& m, const char* name, F make, const char* doc) {
  m.def(
      name,
      [make](const Dims& size, MaybeDType dtype, const nb::object& device, bool requires_grad) {
        return finished(make(size, dtype.value_or(default_dtype()), device_of(device)), requires_grad);
      },
      "size"_a, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(), "requires_grad"_a = false, doc);
  m.def(
      name,
      [make, name](const nb::args& size, MaybeDType dtype, const nb::object& device, bool requires_grad) {
        check<DTypeError>(size.size() > 0, name, ": the size is missing, as in ", name, "(2, 3)");
        return finished(make(dims_of(size, name), dtype.value_or(default_dtype()), device_of(device)), requires_grad);
      },
      "size"_a, "dtype"_a = nb::none(), "device"_a = nb::none(), "requires_grad"_a = false, doc);
}

template <class F>
void bind_like(nb::module_& m, const char* name, F make, const char* doc) {
  m.def(
      name,
      [make](const Tensor& t, MaybeDType dtype, const nb::object& device, bool requires_grad) {
        const Device d = device.is_none() ? t.device() : device_of(device);
        return finished(make(t.shape(), dtype.value_or(t.dtype()), d), requires_grad);
      },
      "input"_a, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(), "requires_grad"_a = false, doc);
}

// t.new_zeros(2, 3): the tensor's dtype and device unless said.
template <class F>
void bind_new(const char* name, F make, const char* doc) {
  method(
      name,
      [make, name](const Tensor& t, const nb::args& size, MaybeDType dtype, const nb::object& device,
                   bool requires_grad) {
        const Device d = device.is_none() ? t.device() : device_of(device);
        return finished(make(dims_of(size, name), dtype.value_or(t.dtype()), d), requires_grad);
      },
      "size"_a, "dtype"_a = nb::none(), "device"_a = nb::none(), "requires_grad"_a = false, doc);
}

Tensor zeros(const Shape& s, DType d, Device v) { return ops::full(s, 0, d, v); }
Tensor ones(const Shape& s, DType d, Device v) { return ops::full(s, 1, d, v); }
Tensor uninitialised(const Shape& s, DType d, Device v) { return empty(s, d, v); }

DType arange_dtype(Scalar a, Scalar b, Scalar c) {
  const bool floating =
      a.kind == ScalarKind::floating || b.kind == ScalarKind::floating || c.kind == ScalarKind::floating;
  return floating ? default_dtype() : DType::int64;
}

void bind_ranges(nb::module_& m) {
  constexpr const char* doc = "[start, start + step, …) up to but not including end, 1-d; int64 for integers.";
  m.def(
      "arange",
      [](Scalar end, MaybeDType dtype, const nb::object& device, bool requires_grad) {
        return finished(ops::arange(0, end, 1, dtype.value_or(arange_dtype(0, end, 1)), device_of(device)),
                        requires_grad);
      },
      "end"_a, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(), "requires_grad"_a = false, doc);
  m.def(
      "arange",
      [](Scalar start, Scalar end, Scalar step, MaybeDType dtype, const nb::object& device, bool requires_grad) {
        const DType d = dtype.value_or(arange_dtype(start, end, step));
        return finished(ops::arange(start, end, step, d, device_of(device)), requires_grad);
      },
      "start"_a, "end"_a, "step"_a = 1, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(),
      "requires_grad"_a = false, doc);
  m.def(
      "linspace",
      [](Scalar start, Scalar end, int64_t steps, MaybeDType dtype, const nb::object& device, bool requires_grad) {
        const DType d = dtype.value_or(default_dtype());
        return finished(ops::linspace(start.to_double(), end.to_double(), steps, d, device_of(device)), requires_grad);
      },
      "start"_a, "end"_a, "steps"_a, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(),
      "requires_grad"_a = false, "steps values from start to end, both included, evenly spaced.");
  m.def(
      "logspace",
      [](Scalar start, Scalar end, int64_t steps, double base, MaybeDType dtype, const nb::object& device,
         bool requires_grad) {
        const Tensor exponents =
            ops::linspace(start.to_double(), end.to_double(), steps, DType::float64, device_of(device));
        return finished(ops::to(ops::pow(base, exponents), dtype.value_or(default_dtype())), requires_grad);
      },
      "start"_a, "end"_a, "steps"_a, "base"_a = 10.0, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(),
      "requires_grad"_a = false, "steps values from base^start to base^end, evenly spaced in the exponent.");
  m.def(
      "eye",
      [](int64_t n, std::optional<int64_t> cols, MaybeDType dtype, const nb::object& device, bool requires_grad) {
        return finished(ops::eye(n, cols.value_or(n), dtype.value_or(default_dtype()), device_of(device)),
                        requires_grad);
      },
      "n"_a, "m"_a = nb::none(), nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(),
      "requires_grad"_a = false, "The n × m matrix with ones on its diagonal.");
}

void bind_constructors(nb::module_& m) {
  bind_sized(m, "zeros", zeros, "A tensor of zeros of shape size; float32 unless dtype is given.");
  bind_sized(m, "ones", ones, "A tensor of ones of shape size; float32 unless dtype is given.");
  bind_sized(m, "empty", uninitialised, "A tensor of shape size whose contents are undefined.");
  bind_like(m, "zeros_like", zeros, "Zeros of input's shape and dtype.");
  bind_like(m, "ones_like", ones, "Ones of input's shape and dtype.");
  bind_like(m, "empty_like", uninitialised, "An uninitialised tensor of input's shape and dtype.");
  bind_new("new_zeros", zeros, "Zeros of this dtype and device.");
  bind_new("new_ones", ones, "Ones of this dtype and device.");
  bind_new("new_empty", uninitialised, "An uninitialised tensor of this dtype and device.");
  m.def(
      "full",
      [](const Dims& size, Scalar value, MaybeDType dtype, const nb::object& device, bool requires_grad) {
        return finished(ops::full(size, value, dtype.value_or(dtype_of(value.kind)), device_of(device)), requires_grad);
      },
      "size"_a, "fill_value"_a, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(),
      "requires_grad"_a = false, "A tensor of shape size filled with fill_value, whose kind decides the dtype.");
  m.def(
      "full_like",
      [](const Tensor& t, Scalar value, MaybeDType dtype, const nb::object& device, bool requires_grad) {
        const Device d = device.is_none() ? t.device() : device_of(device);
        return finished(ops::full(t.shape(), value, dtype.value_or(t.dtype()), d), requires_grad);
      },
      "input"_a, "fill_value"_a, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(),
      "requires_grad"_a = false, "A tensor of input's shape and dtype filled with fill_value.");
  method(
      "new_full",
      [](const Tensor& t, const Dims& size, Scalar value, MaybeDType dtype, const nb::object& device,
         bool requires_grad) {
        const Device d = device.is_none() ? t.device() : device_of(device);
        return finished(ops::full(size, value, dtype.value_or(t.dtype()), d), requires_grad);
      },
      "size"_a, "fill_value"_a, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(),
      "requires_grad"_a = false, "A filled tensor of this dtype and device.");
  m.def(
      "empty_strided",
      [](const Dims& size, const Dims& stride, MaybeDType dtype) {
        return ops::empty_strided(size, stride, dtype.value_or(default_dtype()));
      },
      "size"_a, "stride"_a, nb::kw_only(), "dtype"_a = nb::none(),
      "An uninitialised tensor with these strides (in elements).");
  m.def(
      "tensor",
      [](nb::handle data, MaybeDType dtype, const nb::object& device, bool requires_grad) {
        const bool shared = !is_tensor(data.ptr()) && has_cuda_array(data.ptr());
        Tensor t = shared ? ops::clone(from_cuda_array(data.ptr())) : tensor_from_literal(data.ptr(), dtype);
        if (shared && dtype) t = ops::to(t, *dtype);
        const bool stay = device.is_none() && (shared || is_tensor(data.ptr()));
        return finished(stay ? t : ops::to_device(t, device_of(device)), requires_grad);
      },
      "data"_a, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(), "requires_grad"_a = false,
      "A new tensor with a copy of data: a number, nested sequences, an array or a tensor.\n\n"
      "Floats take the default dtype, ints int64, bools bool. Raises ShapeError for uneven nesting (book section "
      "2.1).");
  const auto as_tensor = [](nb::handle data, MaybeDType dtype, const nb::object& device) {
    Tensor t = is_tensor(data.ptr())        ? tensor_of(data.ptr())
               : has_buffer(data.ptr())     ? from_buffer(data.ptr())
               : has_cuda_array(data.ptr()) ? from_cuda_array(data.ptr())
                                            : tensor_from_literal(data.ptr(), dtype);
    if (!device.is_none()) t = ops::to_device(t, device_of(device));
    return dtype ? ops::to(t, *dtype) : t;
  };
  for (const char* name : {"as_tensor", "asarray"})
    m.def(name, as_tensor, "data"_a, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(),
          "data as a tensor, sharing memory where that is possible.");
  method(
      "new_tensor",
      [](const Tensor& t, nb::handle data, MaybeDType dtype, const nb::object& device, bool requires_grad) {
        const Device d = device.is_none() ? t.device() : device_of(device);
        return finished(ops::to_device(tensor_from_literal(data.ptr(), dtype.value_or(t.dtype())), d), requires_grad);
      },
      "data"_a, nb::kw_only(), "dtype"_a = nb::none(), "device"_a = nb::none(), "requires_grad"_a = false,
      "A new tensor of this dtype with a copy of data.");
}

// ---------------------------------------------------------------------------------------------- conversion

// What PyTorch calls tensors of a dtype, such as "torch.FloatTensor".
std::string type_name(const Tensor& t) {
  constexpr const char* names[FD_DTYPE_COUNT] = {"Bool", "Byte", "Int", "Long", "Half", "BFloat16", "Float", "Double"};
  const char* place = t.device().kind == DeviceKind::cpu ? "torch." : "torch.cuda.";
  return text(place, names[index(t.dtype())], "Tensor");
}

void bind_conversions(nb::module_& m) {
  method(
      "to",
      [](const Tensor& t, DType dtype, bool, bool copy) {
        return copy && dtype == t.dtype() ? ops::clone(t) : ops::to(t, dtype);
      },
      "dtype"_a, "non_blocking"_a = false, "copy"_a = false, "This tensor in another dtype or on another device.");
  method(
      "to",
      [](const Tensor& t, const Tensor& other) { return ops::to(ops::to_device(t, other.device()), other.dtype()); },
      "other"_a, "This tensor with other's dtype and device.");
  method(
      "to",
      [](const Tensor& t, const nb::object& device, MaybeDType dtype, bool non_blocking, bool copy) {
        const Tensor moved = device.is_none() ? t : ops::to_device(t, device_of(device), !non_blocking);
        const Tensor out = dtype ? ops::to(moved, *dtype) : moved;
        return copy && out.get() == t.get() ? ops::clone(t) : out;
      },
      "device"_a = nb::none(), "dtype"_a = nb::none(), "non_blocking"_a = false, "copy"_a = false,
      "This tensor on another device and in another dtype; itself where nothing changes. non_blocking: a copy between "
      "a\n"
      "GPU and page-locked memory (pin_memory()) goes on while the host does; read or change that memory only after\n"
      "cuda.synchronize() or an event.");
  const auto type = [](nb::handle self, const nb::object& dtype) -> nb::object {
    const Tensor t = tensor_of(self.ptr());
    if (dtype.is_none()) return nb::cast(type_name(t));
    DType d;
    check<DTypeError>(parse_dtype(dtype.ptr(), &d), "type: expected a dtype such as torch.float32");
    return nb::cast(ops::to(t, d));
  };
  method("type", type, "dtype"_a = nb::none(), "This tensor in another dtype, or the name of its own.");
  method(
      "type_as", [](const Tensor& t, const Tensor& other) { return ops::to(t, other.dtype()); }, "other"_a,
      "In other's dtype.");
  constexpr std::pair<const char*, DType> casts[] = {
      {"float", DType::float32}, {"double", DType::float64}, {"half", DType::float16}, {"bfloat16", DType::bfloat16},
      {"long", DType::int64},    {"int", DType::int32},      {"byte", DType::uint8},   {"bool", DType::boolean}};
  for (const auto& [name, dtype] : casts)
    method(name, [dtype = dtype](const Tensor& t) { return ops::to(t, dtype); }, "This tensor in that dtype.");
  method(
      "cpu", [](const Tensor& t) { return ops::to_device(t, Device{}); },
      "This tensor in host memory; itself if it is there.");
  method(
      "cuda",
      [](const Tensor& t, const nb::object& device, bool non_blocking) {
        Device d = {DeviceKind::cuda, 0};
        if (PyLong_Check(device.ptr()))
          d = nb::cast<Device>(nb::type<Device>()("cuda", device));
        else if (!device.is_none())
          d = device_of(device);
        check<DeviceError>(d.kind == DeviceKind::cuda, "cuda: device is ", d, "; expected a GPU");
        return ops::to_device(t, d, !non_blocking);
      },
      "device"_a = nb::none(), "non_blocking"_a = false,
      "This tensor on a GPU, the first unless device says. Raises DeviceError where there is none.");
  method("pin_memory", ops::pin_memory,
         "A copy in page-locked host memory, from which a GPU reads while the host goes on; itself if it lies there.\n"
         "Raises DeviceError where there is no GPU, or if the tensor is on one.");
  method(
      "is_pinned", [](const Tensor& t) { return t.device().kind == DeviceKind::cpu && cuda::is_pinned(t.data()); },
      "Whether this tensor lies in page-locked host memory.");
  function_and_method(
      m, "clone", [](const Tensor& t) { return ops::clone(t); }, "A copy, with gradients flowing through.");
  method("contiguous", ops::contiguous, "This tensor in C order; itself if it is already.");
  method(
      "copy_",
      [](const Tensor& t, const OperandArg& from, bool non_blocking) {
        return from.tensor.defined() ? ops::copy_(t, from.tensor, !non_blocking) : ops::fill_(t, from);
      },
      "other"_a, "non_blocking"_a = false, "Overwrites the elements with other's, which broadcasts and is converted.");
  method(
      "fill_", [](const Tensor& t, const OperandArg& v) { return ops::fill_(t, v); }, "value"_a,
      "Overwrites every element with value.");
  method("zero_", [](const Tensor& t) { return ops::fill_(t, 0); }, "Overwrites every element with 0.");
}

// ---------------------------------------------------------------------------------------------- contents

void bind_contents(nb::module_& m) {
  method(
      "item",
      [](const Tensor& t) {
        check<ValueError>(t.numel() == 1,
                          "item: only tensors with one element can become a Python number, this one has ", t.numel());
        const Tensor scalar = t.dim() == 0 ? t : ops::reshape(ops::detach(t), {});
        return nb::steal(literal_from_tensor(scalar));
      },
      "The single element as a Python number.");
  method(
      "tolist", [](const Tensor& t) { return nb::steal(literal_from_tensor(t)); },
      "The elements as nested lists of Python numbers; a number for a 0-dim tensor.");
  function_and_method(m, "numel", [](const Tensor& t) { return t.numel(); }, "The number of elements.");
  method("nelement", [](const Tensor& t) { return t.numel(); }, "The number of elements.");
  method("dim", [](const Tensor& t) { return t.dim(); }, "The number of dimensions.");
  method("ndimension", [](const Tensor& t) { return t.dim(); }, "The number of dimensions.");
  method("element_size", [](const Tensor& t) { return item_size(t.dtype()); }, "Bytes of one element.");
  method(
      "data_ptr", [](const Tensor& t) { return reinterpret_cast<uintptr_t>(t.data()); },
      "The address of the first element.");
  method(
      "storage_offset", [](const Tensor& t) { return t->storage_offset(); },
      "Elements before the first in its storage.");
  method(
      "is_contiguous", [](const Tensor& t) { return t.is_contiguous(); },
      "Whether the elements lie in C order without gaps.");
  function_and_method(
      m, "is_floating_point", [](const Tensor& t) { return is_floating(t.dtype()); }, "Whether the dtype is floating.");
  function_and_method(m, "is_complex", [](const Tensor&) { return false; }, "Always False.");
  method(
      "is_set_to",
      [](const Tensor& a, const Tensor& b) {
        return a->data == b->data && a.shape() == b.shape() && a.strides() == b.strides();
      },
      "tensor"_a, "Whether both are the same window on the same memory.");
  method(
      "size",
      [](const Tensor& t, std::optional<int64_t> dim) -> nb::object {
        if (!dim) return nb::steal(wrap_size(t.shape()));
        check<IndexError>(t.dim() > 0, "size: dim ", *dim, " of a tensor without dimensions");
        return nb::cast(t.size(normalize_dim("size", *dim, t.dim())));
      },
      "dim"_a = nb::none(), "The shape, or the size of one dimension.");
  method(
      "stride",
      [](const Tensor& t, std::optional<int64_t> dim) -> nb::object {
        if (dim) return nb::cast(t.stride(normalize_dim("stride", *dim, t.dim())));
        return nb::tuple(nb::steal(wrap_size(t.strides())));
      },
      "dim"_a = nb::none(), "Steps between neighbours in each dimension, in elements.");
  m.def("is_tensor", [](nb::handle o) { return is_tensor(o.ptr()); }, "obj"_a.none(), "Whether obj is a tensor.");
  m.def("set_default_dtype", set_default_dtype, "d"_a,
        "The dtype of tensors made from Python floats: a floating dtype.");
  m.def("get_default_dtype", default_dtype, "The dtype of tensors made from Python floats.");
  nb::setattr(reinterpret_cast<PyObject*>(tensor_type), "_make_subclass",
              nb::cpp_function(
                  [](nb::handle cls, const Tensor& data, bool requires_grad) {
                    check<DTypeError>(PyType_Check(cls.ptr()) &&
                                          PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(cls.ptr()), tensor_type),
                                      "_make_subclass: the class is no subclass of Tensor");
                    const Tensor t = ops::detach(data);
                    t->fresh_version();
                    nb::object made = nb::steal(wrap_as(reinterpret_cast<PyTypeObject*>(cls.ptr()), t));
                    if (requires_grad) set_requires_grad(t, true);
                    return made;
                  },
                  "cls"_a, "data"_a, "requires_grad"_a = false));
}

}  // namespace

void bind_create(nb::module_& m) {
  bind_constructors(m);
  bind_ranges(m);
  bind_conversions(m);
  bind_contents(m);
}

}  // namespace fd::bindings
