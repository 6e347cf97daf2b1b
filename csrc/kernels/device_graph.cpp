#include "kernels/device_state.h"

namespace fd::cuda {

struct Graph::Parts {
  Device device;
  std::unique_ptr<Pool> pool = std::make_unique<Pool>();
  void* graph = nullptr;
};

Graph::Graph(Device device) : parts_(std::make_unique<Parts>()) {
  parts_->device = device;
  gpu_of(device);
  const fd_plugin& p = *state().plugin;
  parts_->pool->cache.open(p.allocate, p.release, true);
}

Graph::~Graph() {
  Gpu& gpu = *state().gpus[size_t(parts_->device.ordinal)];
  if (gpu.capturing == parts_->pool.get()) abandon();
  if (parts_->graph) {
    state().plugin->synchronize(gpu.stream);
    state().plugin->graph_destroy(parts_->graph);
  }
  // What tensors still hold is theirs; the rest is anybody's.
  std::erase_if(gpu.owners, [this](const auto& block) { return block.second == parts_->pool.get(); });
  Pool& pool = *parts_->pool;
  pool.cache.give(pool.scratch.data, pool.scratch.bytes);
  pool.cache.leave_to(gpu.cache);
}

void Graph::begin() {
  Gpu& gpu = gpu_of(parts_->device);
  check<DeviceError>(!gpu.capturing, "graph: work on ", gpu.device, " is being captured already");
  check<DeviceError>(!parts_->graph, "graph: something was captured already");
  checked("graph", gpu.device, state().plugin->capture_begin(gpu.stream));
  gpu.capturing = parts_->pool.get();
  gpu.context.draws = gpu.draws;
}

void Graph::end() {
  Gpu& gpu = gpu_of(parts_->device);
  gpu.capturing = nullptr;
  gpu.context.draws = nullptr;
  checked("graph", gpu.device, state().plugin->capture_end(gpu.stream, &parts_->graph));
}

void Graph::abandon() noexcept {
  Gpu& gpu = *state().gpus[size_t(parts_->device.ordinal)];
  gpu.capturing = nullptr;
  gpu.context.draws = nullptr;
  void* graph = nullptr;
  if (state().plugin->capture_end(gpu.stream, &graph) == 0) state().plugin->graph_destroy(graph);
}

void Graph::replay(const uint64_t* draws) {
  Gpu& gpu = gpu_of(parts_->device);
  check<DeviceError>(parts_->graph, "graph: nothing was captured");
  if (draws) checked("graph", gpu.device, copy_staged(gpu, gpu.draws, draws, sizeof(*draws)));
  checked("graph", gpu.device, state().plugin->graph_launch(parts_->graph, gpu.stream));
  if (synchronous()) synchronize(gpu.device);
}

bool capturing(Device device) {
  if (device.kind != DeviceKind::cuda) return false;
  const State& s = state();
  const Gpu* const gpu = device.ordinal < int(s.gpus.size()) ? s.gpus[size_t(device.ordinal)] : nullptr;
  return gpu && gpu->capturing;
}

}  // namespace fd::cuda
