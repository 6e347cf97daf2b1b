#include "base/machine.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#ifdef __linux__
#include <sched.h>
#include <unistd.h>
#endif
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

namespace fd {

namespace {

int affinity_cpus() {
#ifdef __linux__
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) return std::max(1, CPU_COUNT(&mask));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

#ifdef __linux__

// CPUs' worth of time a cgroup grants: "quota period" in one file (v2) or in two (v1). 0: no limit.
double quota_of(const std::string& folder, bool v2) {
  long long quota = -1, period = 0;
  if (v2) {
    std::ifstream(folder + "/cpu.max") >> quota >> period;  // "max" fails to parse and leaves no quota
  } else {
    std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
    std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? double(quota) / double(period) : 0;
}

// Every group up to the root may limit its children; inside a container the path may not exist, but the root does.
double tightest_quota(std::string root, std::string group, bool v2) {
  double tightest = 0;
  for (;;) {
    const double quota = quota_of(root + group, v2);
    if (quota > 0) tightest = tightest > 0 ? std::min(tightest, quota) : quota;
    if (group.empty()) return tightest;
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
}

bool names_cpu(const std::string& controllers) { return ("," + controllers + ",").find(",cpu,") != std::string::npos; }

// Lines of /proc/self/cgroup: "id:controllers:path"; v2 has id 0 and no controllers (cgroups(7)).
double cgroup_cpus() {
  double tightest = 0;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1) == "/" ? "" : line.substr(second + 1);
    const bool v2 = controllers.empty();
    if (!v2 && !names_cpu(controllers)) continue;
    const double quota = tightest_quota(v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu", path, v2);
    if (quota > 0) tightest = tightest > 0 ? std::min(tightest, quota) : quota;
  }
  return tightest;
}

// "48K" or "2M" from sysfs, which also answers where sysconf() does not (aarch64).
int64_t cache_from_sysfs(int level) {
  for (int i = 0; i < 8; i++) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
    int found = 0;
    std::string type, size;
    std::ifstream(folder + "level") >> found;
    std::ifstream(folder + "type") >> type;
    std::ifstream(folder + "size") >> size;
    if (found != level || type == "Instruction" || size.empty()) continue;
    const int64_t unit = size.back() == 'K' ? 1 << 10 : size.back() == 'M' ? 1 << 20 : 1;
    return unit * std::strtoll(size.c_str(), nullptr, 10);
  }
  return 0;
}

int64_t cache_level(int level) {
  int64_t bytes = 0;
#ifdef _SC_LEVEL1_DCACHE_SIZE
  constexpr int names[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
  bytes = sysconf(names[level - 1]);
#endif
  return bytes > 0 ? bytes : cache_from_sysfs(level);
}

#elif defined(__APPLE__)

double cgroup_cpus() { return 0; }

int64_t cache_level(int level) {
  constexpr const char* names[] = {"hw.l1dcachesize", "hw.l2cachesize", "hw.l3cachesize"};
  int64_t bytes = 0;
  size_t size = sizeof bytes;
  return sysctlbyname(names[level - 1], &bytes, &size, nullptr, 0) == 0 ? bytes : 0;
}

#else

double cgroup_cpus() { return 0; }
int64_t cache_level(int) { return 0; }

#endif

}  // namespace

int usable_cpus() {
  const double quota = cgroup_cpus();
  const int cpus = affinity_cpus();
  return quota > 0 ? std::clamp(int(quota + 0.999), 1, cpus) : cpus;
}

CacheSizes cache_sizes() {
  static const CacheSizes sizes = {cache_level(1), cache_level(2), cache_level(3)};
  return sizes;
}

}  // namespace fd
