// A call that no overload takes, told in one line: which argument, what it got, what it takes.
//
// nanobind sets a TypeError that lists every overload's signature and the types of the call. Its sources are compiled
// with PyErr_SetString renamed to fd_set_nanobind_error (CMakeLists.txt), so that the text passes through here; calls
// that succeed pay nothing.
#include <Python.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace fd::bindings {

namespace {

using Text = std::string_view;

struct Parameter {
  Text name, type;  // type is empty where anything fits
  bool required = true, keyword_only = false, many = false;
};

struct Given {
  Text name, type;  // name is empty for positional ones
};

struct Call {
  Text op;
  std::vector<std::vector<Parameter>> overloads;
  std::vector<Given> given;
};

// How one overload refuses the call. The higher the rank, the nearer the overload was.
struct Refusal {
  enum Kind { too_many, unknown_name, missing, type, content } kind;
  int rank;
  Text argument, got;
  std::vector<Text> expected;
};

bool starts_with(Text s, Text head) { return s.substr(0, head.size()) == head; }

Text trim(Text s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

// Parts between separators that stand outside brackets and quotes.
std::vector<Text> split(Text s, Text separator) {
  std::vector<Text> parts;
  int depth = 0;
  bool quoted = false;
  size_t from = 0;
  for (size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    if (c == '\'') quoted = !quoted;
    if (quoted) continue;
    if (c == '(' || c == '[' || c == '{') depth++;
    if (c == ')' || c == ']' || c == '}') depth--;
    if (depth == 0 && s.substr(i, separator.size()) == separator) {
      parts.push_back(trim(s.substr(from, i - from)));
      from = i + separator.size();
      i = from - 1;
    }
  }
  if (!trim(s.substr(from)).empty()) parts.push_back(trim(s.substr(from)));
  return parts;
}

// "input: freedive.Tensor, *, out: freedive.Tensor"
std::vector<Parameter> parse_parameters(Text list) {
  std::vector<Parameter> parameters;
  bool keyword_only = false;
  for (Text part : split(list, ",")) {
    if (part == "*" || part == "/") {
      keyword_only = part == "*";
      continue;
    }
    Parameter p;
    p.keyword_only = keyword_only;
    if (part.front() == '*') {
      p.many = true;
      p.required = false;
      keyword_only = true;
      part.remove_prefix(std::min(part.size(), part.find_first_not_of('*')));
    }
    const size_t is = part.find(" = ");
    if (is != Text::npos) p.required = false;
    part = part.substr(0, is);
    const size_t colon = part.find(':');
    p.name = trim(part.substr(0, colon));
    if (colon != Text::npos) p.type = trim(part.substr(colon + 1));
    parameters.push_back(p);
  }
  return parameters;
}

// False if the text is not what nanobind writes.
bool parse(Text text, Call* call) {
  const size_t name_end = text.find("(): incompatible function arguments.");
  const size_t types = text.rfind("\nInvoked with types: ");
  if (name_end == Text::npos || types == Text::npos) return false;
  call->op = text.substr(0, name_end);
  for (size_t at = text.find('\n'); at < types; at = text.find('\n', at + 1)) {
    const Text line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    const size_t open = line.find('('), close = line.rfind(") -> ");
    if (open != Text::npos && close != Text::npos && close > open)
      call->overloads.push_back(parse_parameters(line.substr(open + 1, close - open - 1)));
  }
  for (Text part : split(text.substr(types + sizeof("\nInvoked with types: ") - 1), ",")) {
    if (!starts_with(part, "kwargs = {")) {
      call->given.push_back({{}, part});
      continue;
    }
    const size_t open = part.find('{'), close = part.rfind('}');
    for (Text pair : split(part.substr(open + 1, close - open - 1), ",")) {
      const size_t colon = pair.find(':');
      call->given.push_back({trim(pair.substr(0, colon)), trim(pair.substr(colon + 1))});
    }
  }
  return !call->overloads.empty();
}

bool is_sequence(Text type) { return type.find("Sequence[") != Text::npos || starts_with(type, "list["); }

bool fits_one(Text type, Text got) {
  const bool whole = got == "int" || got == "bool" || starts_with(got, "numpy.int") || starts_with(got, "numpy.uint");
  if (type == "object") return true;
  if (type == "None") return got == "NoneType";
  if (type == "int") return whole;
  if (type == "float") return whole || got == "float" || (starts_with(got, "numpy.") && got != "numpy.ndarray");
  if (type == "freedive.Tensor") return got == type || got.rfind("Parameter") != Text::npos || got == "numpy.ndarray";
  if (is_sequence(type)) return got == "list" || got == "tuple" || got == "range" || got == "freedive.Size";
  return type == got;
}

bool fits(Text type, Text got) {
  if (type.empty()) return true;
  const std::vector<Text> choices = split(type, "|");
  return std::any_of(choices.begin(), choices.end(), [got](Text one) { return fits_one(one, got); });
}

const Parameter* parameter_of(const std::vector<Parameter>& parameters, const Given& given, size_t position) {
  if (!given.name.empty()) {
    for (const Parameter& p : parameters)
      if (p.name == given.name) return &p;
    return nullptr;
  }
  for (const Parameter& p : parameters) {
    if (p.keyword_only) return nullptr;
    if (p.many || position-- == 0) return &p;
  }
  return nullptr;
}

Refusal refusal_of(const std::vector<Parameter>& parameters, const std::vector<Given>& given) {
  Refusal found = {Refusal::content, 0, {}, {}, {}};
  bool certain = false;
  std::vector<const Parameter*> filled;
  const auto note = [&](Refusal::Kind kind, Text argument, Text got, Text type) {
    if (!certain) found = {kind, found.rank, argument, got, split(type, "|")};
    certain = true;
  };
  for (size_t i = 0; i < given.size(); ++i) {
    const Parameter* p = parameter_of(parameters, given[i], i);
    if (!p) {
      note(given[i].name.empty() ? Refusal::too_many : Refusal::unknown_name, given[i].name, {}, {});
      continue;
    }
    filled.push_back(p);
    if (fits(p->type, given[i].type)) {
      found.rank += 8;
      if (!certain && (is_sequence(p->type) || p->type == "int"))
        found = {Refusal::content, found.rank, p->name, given[i].type, split(p->type, "|")};
    } else {
      note(Refusal::type, p->name, given[i].type, p->type);
    }
  }
  for (const Parameter& p : parameters)
    if (p.required && std::find(filled.begin(), filled.end(), &p) == filled.end())
      note(Refusal::missing, p.name, {}, p.type);
  found.rank += found.kind;
  return found;
}

std::string plain_name(Text type) {
  const bool plural = is_sequence(type);
  if (plural) {
    const size_t open = type.find('[');
    type = type.substr(open + 1, type.rfind(']') - open - 1);
  }
  const size_t dot = type.rfind('.');
  if (dot != Text::npos) type = type.substr(dot + 1);
  return plural ? "a sequence of " + std::string(type) + "s" : std::string(type);
}

std::string listed(const std::vector<std::string>& names, const char* last) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) out += (i == 0 ? "" : i + 1 == names.size() ? last : ", ") + names[i];
  return out;
}

std::string expected_text(const std::vector<Text>& types) {
  const auto has = [&](Text t) { return std::find(types.begin(), types.end(), t) != types.end(); };
  const bool number = has("float") && has("int") && has("bool");
  std::vector<std::string> names;
  for (Text t : types) {
    std::string name = number && t == "float" ? "number" : plain_name(t);
    if (number && (t == "int" || t == "bool")) continue;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return listed(names, " or ");
}

// The names a reader can give, of all overloads.
std::string takes(const Call& call) {
  std::vector<std::string> names;
  for (const auto& overload : call.overloads)
    for (const Parameter& p : overload)
      if (p.name != "self" && std::find(names.begin(), names.end(), p.name) == names.end()) names.emplace_back(p.name);
  return names.empty() ? "no arguments" : listed(names, ", ");
}

std::string sentence(const Call& call, const Refusal& refusal) {
  const std::vector<Parameter>& first = call.overloads.front();
  const bool method = !first.empty() && first.front().name == "self";
  std::string op(call.op);
  if (op == "__init__" && !call.given.empty()) op = plain_name(call.given.front().type);
  const std::string argument = op + ": argument '" + std::string(refusal.argument) + "' ";
  switch (refusal.kind) {
    case Refusal::type:
      return argument + "is " + plain_name(refusal.got) + "; expected " + expected_text(refusal.expected);
    case Refusal::missing:
      return argument + "is missing; it takes " + takes(call);
    case Refusal::unknown_name:
      return op + ": has no argument '" + std::string(refusal.argument) + "'; it takes " + takes(call);
    case Refusal::too_many: {
      size_t positional = 0;
      for (const Given& g : call.given) positional += g.name.empty();
      positional -= method;
      return op + ": got " + std::to_string(positional) + " positional argument" + (positional == 1 ? "" : "s") +
             "; it takes " + takes(call);
    }
    default:
      if (refusal.argument.empty()) return op + ": cannot take these arguments; it takes " + takes(call);
      return argument + "is " + plain_name(refusal.got) +
             (refusal.got == "int" ? " out of range" : " with other things in it") + "; expected " +
             expected_text(refusal.expected);
  }
}

std::string one_line(const Call& call) {
  Refusal nearest = refusal_of(call.overloads.front(), call.given);
  for (size_t i = 1; i < call.overloads.size(); ++i) {
    const Refusal other = refusal_of(call.overloads[i], call.given);
    if (other.rank > nearest.rank)
      nearest = other;
    else if (other.rank == nearest.rank && other.argument == nearest.argument)
      nearest.expected.insert(nearest.expected.end(), other.expected.begin(), other.expected.end());
  }
  return sentence(call, nearest);
}

}  // namespace

}  // namespace fd::bindings

extern "C" void fd_set_nanobind_error(PyObject* type, const char* message) {
  fd::bindings::Call call;
  if (type == PyExc_TypeError && fd::bindings::parse(message, &call))
    PyErr_SetString(type, fd::bindings::one_line(call).c_str());
  else
    PyErr_SetString(type, message);
}
