/** A trainer's last words of a card whose memory is full: CUDA, cuBLAS, TensorFlow (also through tfjs), PyTorch, JAX. Pure. */

const FULL =
  /CUDA out of memory|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|cudaMalloc failed: out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|\bOutOfMemoryError: CUDA\b|RESOURCE_?EXHAUSTED|\bResourceExhausted(?:Error)?\b|OOM when allocating tensor/i;
/** The same words for the memory of the host. */
const OF_HOST = /allocator (?:cpu|mklcpu)|device:CPU/i;

/** The line that says it; null: none does. */
export function fullCardLine(lines: readonly string[]): string | null {
  const line = lines.findLast((each) => FULL.test(each) && !OF_HOST.test(each));
  return line === undefined ? null : line.trim().slice(0, 200);
}
