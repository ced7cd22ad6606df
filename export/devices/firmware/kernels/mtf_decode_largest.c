/* The likeliest classes. Written by mobilenet_tf. */
#include "mtf_decode.h"

void mtf_largest(const int8_t *values, int32_t count, int16_t top, int16_t *indices) {
  int16_t found = 0;
  for (int32_t index = 0; index < count; ++index) {
    int16_t rank = found;
    while (rank > 0 && values[index] > values[indices[rank - 1]]) {
      --rank;
    }
    if (rank == top) {
      continue;
    }
    found = (int16_t)(found < top ? found + 1 : top);
    for (int16_t place = (int16_t)(found - 1); place > rank; --place) {
      indices[place] = indices[place - 1];
    }
    indices[rank] = (int16_t)index;
  }
}
