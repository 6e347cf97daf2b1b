#include "harness.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/parallel.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FD_SANITIZED 1
#endif
#endif

namespace fd::native {

namespace {

constexpr size_t kGuardBytes = 64;
constexpr std::byte kGuard{0xa5};
constexpr int kShown = 8;  // failures printed per family

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Mapped memory followed by a page that nobody may touch; kept from case to case.
class Slot {
 public:
  std::byte* place(size_t bytes) {
    reserve(bytes + kGuardBytes);
    std::byte* const data = end_ - bytes;
    std::fill(data - kGuardBytes, data, kGuard);
    return data;
  }

 private:
  void reserve(size_t bytes) {
    if (bytes <= capacity_) return;
    if (capacity_) munmap(end_ - capacity_, capacity_ + page());
    capacity_ = (2 * bytes + page() - 1) / page() * page();
    void* const p = mmap(nullptr, capacity_ + page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check<MemoryError>(p != MAP_FAILED, "cannot map ", capacity_, " bytes");
    end_ = static_cast<std::byte*>(p) + capacity_;
    mprotect(end_, page(), PROT_NONE);
  }
  static size_t page() { return size_t(sysconf(_SC_PAGESIZE)); }

  std::byte* end_ = nullptr;
  size_t capacity_ = 0;
};

Slot slots[32];
Cases selected = Cases::all;
int64_t large_cases = 0;
char current_case[512] = "none";

#ifndef FD_SANITIZED
void on_crash(int signal) {
  const char* const what = strsignal(signal);
  for (const char* part : {what, " in ", static_cast<const char*>(current_case), "\n"})
    if (write(STDERR_FILENO, part, std::strlen(part)) < 0) break;
  _exit(2);
}
#endif

void name_case_on_crash() {
#ifndef FD_SANITIZED
  for (int s : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) signal(s, on_crash);
#endif
}

}  // namespace

Report& report() {
  static Report instance;
  return instance;
}

void select_cases(Cases cases) { selected = cases; }

bool Report::wanted(const std::string& title) const {
  if (title.find(filter) == std::string::npos) return false;
  if (!kThreadSanitizer) return true;
  for (const char* other : {" bool", " uint8", " int32", " int64", "float64"})
    if (title.find(other) != std::string::npos) return false;
  return true;
}

void Report::begin(const std::string& family) {
  name_case_on_crash();
  family_ = family;
  begun_ = now();
  passed_ = failed_ = 0;
}

void Report::end() {
  if (passed_ + failed_ == 0) return;
  if (failed_ > kShown) std::printf("  ... and %lld more\n", (long long)(failed_ - kShown));
  std::printf("%-28s %7lld passed, %lld failed  (%.2f s)\n", family_.c_str(), (long long)passed_, (long long)failed_,
              now() - begun_);
  if (verbose)
    for (const Worst& w : worst_) std::printf("  %-52s at most %.0f ulp\n", w.title.c_str(), w.ulps);
  std::fflush(stdout);
  worst_.clear();
  total_passed_ += passed_;
  total_failed_ += failed_;
}

void Report::fail(const std::string& title, const std::string& detail, const std::string& why) {
  if (failed_++ < kShown) std::printf("FAILED %s, %s: %s\n", title.c_str(), detail.c_str(), why.c_str());
}

void Report::error_seen(const std::string& title, double ulps) {
  if (!verbose) return;
  if (worst_.empty() || worst_.back().title != title) worst_.push_back({title, 0});
  worst_.back().ulps = std::max(worst_.back().ulps, ulps);
}

void expect(bool ok, const std::string& title, const std::string& detail) {
  if (ok)
    report().pass();
  else
    report().fail(title, detail, "does not hold");
}

Case::Case(const std::string& title, std::string detail) : title_(title), detail_(std::move(detail)) {
  std::snprintf(current_case, sizeof current_case, "%s, %s", title_.c_str(), detail_.c_str());
}

void* Case::add(size_t bytes, int64_t n, Compare compare, Tolerance tolerance) {
  fd::check<ValueError>(buffers_.size() < std::size(slots), "too many buffers in one case");
  std::byte* const data = slots[buffers_.size()].place(bytes);
  buffers_.push_back({data, bytes, n, compare, tolerance, {}, {}, {}});
  return data;
}

fd_status Case::run_once(Call call, const void* pair, fd_fault* fault) {
  for (Buffer& b : buffers_) std::copy(b.initial.begin(), b.initial.end(), b.data);
  fd_context* const ctx = context(Device{});
  *ctx->fault = {};
  const fd_status status = call(ctx, pair);
  *fault = *ctx->fault;
  return status;
}

std::string Case::memory_damage() const {
  for (size_t k = 0; k < buffers_.size(); k++) {
    const Buffer& b = buffers_[k];
    for (size_t i = 1; i <= kGuardBytes; i++)
      if (b.data[-ptrdiff_t(i)] != kGuard) return text("wrote ", i, " bytes before buffer ", k);
    if (!b.compare && !std::equal(b.initial.begin(), b.initial.end(), b.data)) return text("changed input ", k);
  }
  return "";
}

void Case::compare_outputs() {
  for (size_t k = 0; k < buffers_.size(); k++) {
    const Buffer& b = buffers_[k];
    if (!b.compare) continue;
    Difference d;
    b.compare(b.expected.data(), b.got.data(), b.n, b.tolerance, &d);
    if (d.at >= 0) return report().fail(title_, detail_, text("buffer ", k, ", ", d.text));
    if (b.tolerance.kind == Tolerance::close) report().error_seen(title_, d.worst_ulps);
  }
  report().pass();
}

void Case::run(Call call, const void* reference, const void* candidate, bool threads) {
  if (threads ? selected == Cases::without_threads : selected == Cases::with_threads) return;
  if (threads && report().quick && large_cases++ % 5 != 0) return;  // five divides no loop over options
  for (Buffer& b : buffers_) b.initial.assign(b.data, b.data + b.bytes);
  fd_fault fault, other;
  set_num_threads(1);
  const fd_status expected = run_once(call, reference, &fault);
  for (Buffer& b : buffers_) b.expected.assign(b.data, b.data + b.bytes);
  std::string damage = memory_damage();
  if (!damage.empty()) return report().fail(title_, detail_, "reference " + damage);

  for (int count : {1, 2, 5}) {
    set_num_threads(count);
    const fd_status status = run_once(call, candidate, &other);
    if (status != expected) return report().fail(title_, detail_, text("status ", status, ", expected ", expected));
    if (status == FD_OUT_OF_RANGE && (other.position != fault.position || other.value != fault.value))
      return report().fail(title_, detail_, text("blames position ", other.position, ", expected ", fault.position));
    damage = memory_damage();
    if (!damage.empty()) return report().fail(title_, detail_, damage);
    for (size_t k = 0; k < buffers_.size() && status == FD_OK; k++) {
      Buffer& b = buffers_[k];
      if (count == 1)
        b.got.assign(b.data, b.data + b.bytes);
      else if (!std::equal(b.got.begin(), b.got.end(), b.data))
        return report().fail(title_, detail_, text("buffer ", k, ": ", count, " threads give other bits than 1"));
    }
    if (!threads) break;
  }
  if (expected != FD_OK) return report().pass();
  compare_outputs();
}

}  // namespace fd::native
