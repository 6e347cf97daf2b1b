// The families of kernels and what stands below them; each function tests one and reports under its name.
#pragma once

#include "harness.h"

namespace fd::native {

void test_completeness(const fd_kernels& reference);
void test_elementwise(const Tables& t);
void test_cast(const Tables& t);
void test_reduce(const Tables& t);
void test_scan(const Tables& t);
void test_gemm(const Tables& t);
void test_softmax(const Tables& t);
void test_cross_entropy(const Tables& t);
void test_loss(const Tables& t);
void test_dropout(const Tables& t);
void test_batch_norm(const Tables& t);
void test_optim(const Tables& t);
void test_index(const Tables& t);
void test_sort(const Tables& t);
void test_conv(const Tables& t);
void test_pooling(const Tables& t);

void test_philox();
void test_random(const fd_kernels& reference);
void test_pool();
void test_memory();

}  // namespace fd::native
