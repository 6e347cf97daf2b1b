/* What a device's plug-in exports, in valid C11: one function, `const fd_plugin* freedive_plugin(void)`.
 *
 * A plug-in is a shared library without Python or C++ types in its interface, so one build serves every Python. The
 * core opens it on first use (device.cpp). Functions that return int32_t give 0 or the device's error number, which
 * error_text() spells out. Everything runs on the one stream of its device, in the order it was asked for. */
#ifndef FREEDIVE_KERNELS_PLUGIN_H
#define FREEDIVE_KERNELS_PLUGIN_H

#include "kernels/remote.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FD_PLUGIN_ABI = 3 };

enum fd_copy_kind { FD_HOST_TO_DEVICE = 1, FD_DEVICE_TO_HOST = 2, FD_DEVICE_TO_DEVICE = 3 };

enum fd_host_memory { FD_PAGE_LOCKED = -1, FD_PAGEABLE = -2 };

typedef struct fd_plugin {
  uint32_t abi;   /* FD_PLUGIN_ABI */
  uint32_t bytes; /* sizeof(fd_plugin) */
  const char* name;
  const fd_kernels* kernels;
  const fd_remote_kernels* remote;

  int32_t (*device_count)(void);    /* 0 where there is none or no driver */
  const char* (*unavailable)(void); /* why device_count() is 0 */
  int32_t (*last_error)(void);      /* of the calling thread's last kernel launch; reading it clears it */
  const char* (*error_text)(int32_t code);
  int32_t (*device_name)(int32_t device, char* text, size_t room);
  int32_t (*memory)(int32_t device, int64_t* free, int64_t* total);

  int32_t (*use)(int32_t device); /* for the calling thread's next calls */
  int32_t (*stream_create)(void** stream);
  int32_t (*synchronize)(void* stream);

  /* Memory of the device in use; release() waits for work that may still touch it. Contents are undefined. */
  int32_t (*allocate)(size_t bytes, void** out);
  int32_t (*release)(void* data);

  /* Either end may be touched after the next synchronize(), no sooner. */
  int32_t (*copy)(void* to, const void* from, size_t bytes, int32_t kind, void* stream);
  /* Page-locked host memory, which copies reach while the host goes on. */
  int32_t (*host_allocate)(size_t bytes, void** out);
  int32_t (*host_release)(void* data);
  int32_t (*location)(const void* data); /* the GPU whose memory it is, or fd_host_memory; whoever allocated it */
  int32_t (*clear)(void* data, size_t bytes, void* stream);

  /* Between begin and end, what is asked of the stream is recorded instead of run. The graph is ready to launch. */
  int32_t (*capture_begin)(void* stream);
  int32_t (*capture_end)(void* stream, void** graph);
  int32_t (*graph_launch)(void* graph, void* stream);
  int32_t (*graph_destroy)(void* graph);

  int32_t (*event_create)(void** event);
  int32_t (*event_record)(void* event, void* stream);
  int32_t (*event_wait)(void* event); /* the host waits */
  int32_t (*event_done)(void* event); /* 1 once it is reached, 0 before; else minus an error number */
  int32_t (*event_elapsed)(void* from, void* to, float* milliseconds);
  int32_t (*event_destroy)(void* event);
} fd_plugin;

typedef const fd_plugin* fd_plugin_entry(void);

#ifdef __cplusplus
}
#endif

#endif
