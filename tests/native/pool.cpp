// The thread pool: every task once, whoever calls, from wherever, also after fork.
#include "base/parallel.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>

#include "base/error.h"
#include "base/memory.h"
#include "families.h"

namespace fd::native {
namespace {

template <class Body>
void run_tasks(int64_t tasks, Body& body) {
  parallel(tasks, [](void* closure, int64_t i) { (*static_cast<Body*>(closure))(i); }, &body);
}

bool each_runs_once(int64_t tasks) {
  const auto ran = std::make_unique<std::atomic<int>[]>(size_t(tasks));
  auto body = [&](int64_t i) { ran[size_t(i)].fetch_add(1, std::memory_order_relaxed); };
  run_tasks(tasks, body);
  for (int64_t i = 0; i < tasks; i++)
    if (ran[size_t(i)].load(std::memory_order_relaxed) != 1) return false;
  return true;
}

// What tasks wrote without atomics is visible to the caller afterwards: ThreadSanitizer watches.
bool results_are_visible(int64_t tasks) {
  std::vector<int64_t> out(size_t(tasks), -1);
  auto body = [&](int64_t i) { out[size_t(i)] = i * i; };
  run_tasks(tasks, body);
  for (int64_t i = 0; i < tasks; i++)
    if (out[size_t(i)] != i * i) return false;
  return true;
}

int64_t nested_total(int64_t outer, int64_t inner) {
  std::atomic<int64_t> total{0};
  auto body = [&](int64_t i) {
    auto leaf = [&](int64_t j) { total.fetch_add(i * inner + j, std::memory_order_relaxed); };
    run_tasks(inner, leaf);
  };
  run_tasks(outer, body);
  return total.load();
}

bool concurrent_callers(int callers, int rounds, bool resizing) {
  std::atomic<bool> ok{true};
  std::vector<std::thread> threads;
  for (int c = 0; c < callers; c++)
    threads.emplace_back([&, c] {
      for (int r = 0; r < rounds; r++) {
        if (resizing && c == 0) set_num_threads(1 + r % 5);
        if (!each_runs_once(1 + (r * 7 + c) % 40)) ok = false;
      }
    });
  for (std::thread& t : threads) t.join();
  return ok;
}

// A child may use the pool and the allocator however its parent was busy with them.
bool usable_after_fork() {
  if (!report().may_fork) return true;
  each_runs_once(100);
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);  // a lock left held would hang the child
    void* const p = allocate(1000);
    deallocate(p, 1000);
    const bool ok = each_runs_once(100) && nested_total(4, 5) == 190 && workspace(0, 4096);
    _exit(ok ? 0 : 1);
  }
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
         each_runs_once(100);
}

bool fork_while_busy() {
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) {
      each_runs_once(20);
      deallocate(allocate(3000), 3000);
    }
  });
  bool ok = true;
  for (int i = 0; i < 5; i++) ok &= usable_after_fork();
  stop = true;
  busy.join();
  return ok;
}

}  // namespace

void test_pool() {
  const int before = num_threads();
  expect(before >= 1, "pool", "at least one thread");
  for (int threads : {1, 2, 5, 2}) {
    set_num_threads(threads);
    expect(num_threads() == threads, "pool", text("set_num_threads(", threads, ")"));
    for (int64_t tasks : {0, 1, 2, 3, 4, 5, 7, 64, 1000, 20000, 600000}) {  // the last in slices
      expect(each_runs_once(tasks), "pool", text(threads, " threads run each of ", tasks, " tasks once"));
      expect(results_are_visible(tasks), "pool", text(threads, " threads, results of ", tasks, " tasks"));
    }
    for (int round = 0; round < 300; round++)
      expect(each_runs_once(1 + round % 9), "pool", text(threads, " threads, round ", round));
    expect(nested_total(20, 30) == 600 * 599 / 2, "pool", text(threads, " threads, nested"));
    expect(concurrent_callers(4, 100, false), "pool", text(threads, " threads, concurrent callers"));
    expect(usable_after_fork(), "pool", text(threads, " threads, after fork"));
  }
  expect(concurrent_callers(4, 60, true), "pool", "resized while in use");
  set_num_threads(3);
  expect(fork_while_busy(), "pool", "fork while another thread is in a job");
  bool refused = false;
  try {
    set_num_threads(0);
  } catch (const ValueError&) {
    refused = true;
  }
  expect(refused, "pool", "set_num_threads(0) is refused");
  set_num_threads(before);
}

}  // namespace fd::native
