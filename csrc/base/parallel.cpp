// One job at a time. Its tasks are cut in blocks, each published as a ticket (epoch, next task, end); whoever changes a
// ticket owns the task it took off, so a worker that comes late, or never, delays nobody: the caller waits only for
// tasks that were claimed. Every thread starts at the same block in every job, and so finds what it left in its caches
// the last time; when its block is used up, it takes from the far ends of the others.
#include "base/parallel.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sched.h>
#endif

#include "base/error.h"

namespace fd {

namespace {

using Task = void (*)(void*, int64_t);
using Clock = std::chrono::steady_clock;

constexpr auto kSpin = std::chrono::microseconds(50);  // a worker's patience; also how close calls make a burst
constexpr auto kLong = std::chrono::microseconds(20);  // about what a woken worker takes to arrive
constexpr int kTaskBits = 18, kEpochBits = 64 - 2 * kTaskBits;
constexpr int64_t kMostTasks = (int64_t(1) << kTaskBits) - 1;  // per job; more are run in slices
constexpr int kBlocks = 8;

thread_local bool inside_task = false;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// What is left of a block: tasks [next, end) of job `epoch`.
struct Ticket {
  uint64_t epoch : kEpochBits, next : kTaskBits, end : kTaskBits;
  static Ticket of(uint64_t bits) { return std::bit_cast<Ticket>(bits); }
  uint64_t bits() const { return std::bit_cast<uint64_t>(*this); }
};

class Pool {
 public:
  // False if the pool is busy with another caller.
  bool acquire() { return !busy_.exchange(true, std::memory_order_acquire); }
  void release() { busy_.store(false, std::memory_order_release); }

  // Both only between acquire() and release().
  void resize(int threads) {
    if (wanted_ == threads - 1) return;
    stop();
    start(threads - 1);
  }
  void run(int64_t tasks, Task task, void* closure);

 private:
  void start(int workers);
  void stop();
  void work(int seat, uint64_t seen);
  void publish(int64_t tasks);
  uint64_t published() const { return Ticket::of(tickets_[0].load(std::memory_order_acquire)).epoch; }
  bool run_one(int block, uint64_t epoch, bool from_end);
  int64_t run_all(int seat, int64_t watched);
  bool await_job(uint64_t seen);
  void wake(int64_t most);
  void pin(size_t worker);
  void keep_clear_of_caller();

  // The job, on one cache line with the first tickets: a worker waits for one line to arrive. Atomic because a late
  // worker may read it while the next job is written; its claim then fails.
  alignas(64) std::atomic<Task> task_{nullptr};
  std::atomic<void*> closure_{nullptr};
  std::atomic<int> blocks_{1};
  std::atomic<uint64_t> tickets_[kBlocks] = {};  // the first is published last
  alignas(64) std::atomic<int64_t> done_{0};
  alignas(64) std::atomic<int> parked_{0};
  std::atomic<bool> busy_{false}, stopping_{false};

  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::vector<std::thread> workers_;
  std::vector<int> cpus_;  // the CPU each worker is pinned to; empty: not pinned
  int caller_cpu_ = -1;
  int wanted_ = 0;
  bool spin_ = false;
  uint64_t epoch_ = 0;
  Clock::time_point last_end_{};
};

void Pool::start(int workers) {
  wanted_ = workers;
  spin_ = workers < usable_cpus();
  stopping_.store(false);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // workers inherit this: signals are for the program's own threads
  try {
    for (int i = 0; i < workers; i++) workers_.emplace_back([this, i, seen = epoch_] { work(i + 1, seen); });
  } catch (const std::system_error&) {  // no more threads to be had: those that started will do
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
#ifdef __linux__
  // Schedulers were seen to leave a woken worker on its waker's CPU for hundreds of milliseconds. Pinning is right
  // only if this process has the CPUs of its mask to itself, which a cgroup quota says it has not.
  cpu_set_t mask;
  const char* wish = std::getenv("FREEDIVE_PIN");
  const bool unwanted = wish && wish[0] == '0';
  if (unwanted || sched_getaffinity(0, sizeof mask, &mask) != 0 || CPU_COUNT(&mask) != workers + 1) return;
  caller_cpu_ = sched_getcpu();
  for (int cpu = 0; cpu < CPU_SETSIZE && cpus_.size() < workers_.size(); cpu++)
    if (CPU_ISSET(cpu, &mask) && cpu != caller_cpu_) cpus_.push_back(cpu);
  for (size_t i = 0; i < cpus_.size(); i++) pin(i);
#endif
}

void Pool::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_.store(true);
  }
  wakeup_.notify_all();
  for (auto& worker : workers_) worker.join();
  workers_.clear();
  cpus_.clear();
}

void Pool::pin([[maybe_unused]] size_t worker) {
#ifdef __linux__
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(cpus_[worker], &mask);
  pthread_setaffinity_np(workers_[worker].native_handle(), sizeof mask, &mask);
#endif
}

// If the caller has moved to a worker's CPU, that worker takes the caller's old one.
void Pool::keep_clear_of_caller() {
#ifdef __linux__
  if (cpus_.empty()) return;
  const int cpu = sched_getcpu();
  if (cpu == caller_cpu_) return;
  for (size_t i = 0; i < cpus_.size(); i++) {
    if (cpus_[i] != cpu) continue;
    cpus_[i] = caller_cpu_;
    pin(i);
  }
  caller_cpu_ = cpu;
#endif
}

// False if nothing of the block was left.
bool Pool::run_one(int block, uint64_t epoch, bool from_end) {
  uint64_t seen = tickets_[block].load(std::memory_order_acquire);
  for (;;) {
    const Ticket ticket = Ticket::of(seen);
    if (ticket.epoch != epoch || ticket.next == ticket.end) return false;
    Ticket rest = ticket;
    from_end ? rest.end-- : rest.next++;
    const Task task = task_.load(std::memory_order_acquire);
    void* const closure = closure_.load(std::memory_order_acquire);
    if (!tickets_[block].compare_exchange_weak(seen, rest.bits(), std::memory_order_acq_rel)) continue;
    task(closure, from_end ? rest.end : ticket.next);
    return true;
  }
}

// Runs tasks until none is left to claim; returns how many. With `watched` tasks, sleeping workers are woken once those
// have proved long.
int64_t Pool::run_all(int seat, int64_t watched) {
  const uint64_t epoch = published();
  const int blocks = blocks_.load(std::memory_order_acquire);
  const Clock::time_point begin = watched ? Clock::now() : Clock::time_point{};
  int64_t ran = 0;
  for (int i = 0; i < blocks; i++) {
    while (run_one((seat + i) % blocks, epoch, i > 0)) {
      ran++;
      if (!watched || Clock::now() - begin <= kLong) continue;
      wake(watched - ran);
      watched = 0;
    }
  }
  return ran;
}

void Pool::wake(int64_t most) {
  if (parked_.load() == 0) return;
  {
    std::lock_guard lock(mutex_);
  }  // a worker about to wait has either seen the ticket or is waiting now
  if (most >= int64_t(workers_.size())) return wakeup_.notify_all();
  for (int64_t i = 0; i < most; i++) wakeup_.notify_one();
}

// A finished job's tickets are used up, so nothing can be claimed while the next job is written.
void Pool::publish(int64_t tasks) {
  epoch_ = (epoch_ + 1) & ((uint64_t(1) << kEpochBits) - 1);
  const int64_t blocks = std::min<int64_t>({tasks, wanted_ + 1, kBlocks});
  blocks_.store(int(blocks), std::memory_order_release);
  for (int64_t b = blocks - 1; b >= 0; b--) {
    const Ticket block{epoch_, uint64_t(b * tasks / blocks), uint64_t((b + 1) * tasks / blocks)};
    tickets_[b].store(block.bits(), b ? std::memory_order_release : std::memory_order_seq_cst);
  }
}

void Pool::run(int64_t tasks, Task task, void* closure) {
  keep_clear_of_caller();
  task_.store(task, std::memory_order_release);
  closure_.store(closure, std::memory_order_release);
  done_.store(0, std::memory_order_relaxed);
  publish(tasks);

  const bool asleep = parked_.load() > 0;
  bool watch_time = false;
  if (asleep) {
    const bool worth_it = tasks > kFewTasks || Clock::now() - last_end_ < kSpin;
    if (worth_it)
      wake(tasks - 1);
    else
      watch_time = true;
  }
  const int64_t own = run_all(0, watch_time ? tasks : 0);
  for (int spins = 0; done_.load(std::memory_order_acquire) + own < tasks; spins++) {
    if (spins % (spin_ ? 4096 : 64) == 63) std::this_thread::yield();
    relax();
  }
  if (asleep) last_end_ = Clock::now();
}

// Returns when the ticket's epoch is no longer `seen`; false: the pool is stopping.
bool Pool::await_job(uint64_t seen) {
  const auto fresh = [&] { return published() != seen; };
  if (spin_) {
    const Clock::time_point deadline = Clock::now() + kSpin;
    do {
      for (int i = 0; i < 32; i++) {
        if (fresh()) return true;
        relax();
      }
    } while (Clock::now() < deadline && !stopping_.load(std::memory_order_relaxed));
  }
  std::unique_lock lock(mutex_);
  parked_.fetch_add(1);  // before the last look at the ticket: a caller either sees us parked or we see its job
  wakeup_.wait(lock, [&] { return stopping_.load() || Ticket::of(tickets_[0].load()).epoch != seen; });
  parked_.fetch_sub(1);
  return !stopping_.load();
}

void Pool::work(int seat, uint64_t seen) {
  inside_task = true;
  while (await_job(seen)) {
    seen = published();
    const int64_t ran = run_all(seat, 0);
    if (ran > 0) done_.fetch_add(ran, std::memory_order_release);
  }
}

// Never destroyed: workers may be asleep in it when the process ends, and joining them then could hang.
std::atomic<Pool*> pool{nullptr};
std::atomic<int> threads_wanted{0};

// A child of fork() has no workers, and its copy of the pool may have been mid-job: it is left alone for a new one.
void forget_pool() { pool.store(nullptr); }

Pool& the_pool() {
  Pool* current = pool.load(std::memory_order_acquire);
  if (current) [[likely]]
    return *current;
  static const int once = pthread_atfork(nullptr, nullptr, forget_pool);
  (void)once;
  Pool* const fresh = new Pool;
  if (pool.compare_exchange_strong(current, fresh)) return *fresh;
  delete fresh;
  return *current;
}

int threads_from_environment() {
  const char* wish = std::getenv("FREEDIVE_NUM_THREADS");
  const long threads = wish ? std::strtol(wish, nullptr, 10) : 0;
  return threads >= 1 ? int(std::min(threads, 4096L)) : usable_cpus();
}

void run_sliced(Pool& p, int64_t tasks, Task task, void* closure) {
  struct Slice {
    Task task;
    void* closure;
    int64_t first;
  };
  for (int64_t first = 0; first < tasks; first += kMostTasks) {
    Slice slice{task, closure, first};
    const Task shifted = [](void* s, int64_t i) {
      const Slice& slice = *static_cast<Slice*>(s);
      slice.task(slice.closure, slice.first + i);
    };
    p.run(std::min(tasks - first, kMostTasks), shifted, &slice);
  }
}

}  // namespace

int num_threads() {
  int threads = threads_wanted.load(std::memory_order_relaxed);
  if (threads == 0) [[unlikely]] {
    int unset = 0;
    threads = threads_from_environment();
    if (!threads_wanted.compare_exchange_strong(unset, threads)) threads = unset;
  }
  return threads;
}

void set_num_threads(int threads) {
  check<ValueError>(threads >= 1, "set_num_threads: ", threads, " threads; expected at least 1");
  threads_wanted.store(threads);  // the pool is resized by the next call that needs it
}

void parallel(int64_t tasks, Task task, void* closure) {
  const int threads = num_threads();
  if (tasks <= 1 || threads == 1 || inside_task || !the_pool().acquire()) {
    for (int64_t i = 0; i < tasks; i++) task(closure, i);
    return;
  }
  Pool& p = the_pool();
  inside_task = true;
  p.resize(threads);
  if (tasks <= kMostTasks)
    p.run(tasks, task, closure);
  else
    run_sliced(p, tasks, task, closure);
  inside_task = false;
  p.release();
}

}  // namespace fd
