// Typed errors. The bindings turn each into one Python exception; nothing below them prints or aborts.
#pragma once

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>

namespace fd {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ShapeError : Error {
  using Error::Error;
};  // Python: freedive.ShapeError, a ValueError and a RuntimeError
struct ValueError : Error {
  using Error::Error;
};  // Python: ValueError
struct DTypeError : Error {
  using Error::Error;
};  // Python: freedive.DTypeError, a TypeError and a RuntimeError
struct IndexError : Error {
  using Error::Error;
};  // Python: IndexError
struct DeviceError : Error {
  using Error::Error;
};  // Python: freedive.DeviceError, a RuntimeError
struct GradError : Error {
  using Error::Error;
};  // Python: freedive.GradError, a RuntimeError
struct MemoryError : Error {
  using Error::Error;
};  // Python: MemoryError

// Joins its arguments into one message; everything with an operator<< may be passed.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

template <class E, class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Parts&... parts) {
  throw E(text(parts...));
}

// check<ShapeError>(a == b, "op: ", a, " rows but ", b, " labels"): the message is only built on failure.
template <class E, class... Parts>
inline void check(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail<E>(parts...);
}

}  // namespace fd
