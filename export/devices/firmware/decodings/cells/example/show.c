/* Prints an answer. Written by mobilenet_tf. */
#include "show.h"

#include <stdio.h>

void show(const model_answer *answer) {
  for (int rank = 0; rank < MODEL_TOP; ++rank) {
    const model_cell *const cell = &model_cells[answer->cells[rank]];
    printf("%slatitude %d, longitude %d, %d km around: %d%%", rank == 0 ? "" : "; ",
           (int)cell->latitude, (int)cell->longitude, (int)cell->radius_km,
           (int)(answer->scores[rank] * 100.0f));
  }
  printf("\n");
}
