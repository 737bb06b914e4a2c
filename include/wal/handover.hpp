#ifndef WAL_HANDOVER_HPP
#define WAL_HANDOVER_HPP

// Tells ThreadSanitizer what the library orders: it does not see into it, and would take an object
// that the library hands from thread to thread for a race. Nothing in any other build. Included by
// wal.hpp; nothing here is for programs.

#if defined(__SANITIZE_THREAD__)
#define WAL_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WAL_THREAD_SANITIZER 1
#endif
#endif

#if defined(WAL_THREAD_SANITIZER)
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace wal::detail {

/// One place where threads meet inside the library: what was done before `give` is seen after
/// `take`.
class handover {
public:
#if defined(WAL_THREAD_SANITIZER)
    void give() noexcept { __tsan_release(this); }
    void take() noexcept { __tsan_acquire(this); }
#else
    void give() noexcept {}
    void take() noexcept {}
#endif
};

}  // namespace wal::detail

#endif
