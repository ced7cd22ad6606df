/* A test that this device computes the verified outputs. Written by mobilenet_tf. */
#ifndef MODEL_SELFTEST_H_
#define MODEL_SELFTEST_H_

#ifdef __cplusplus
extern "C" {
#endif

/* How many integer steps an output may differ from the verified one. Plain C and the interpreter's
 * reference kernels need 0; others round differently, and were seen to differ by 1. */
#ifndef MODEL_SELFTEST_STEPS
#define MODEL_SELFTEST_STEPS $steps
#endif

/* How much scores and edges of boxes may differ that are decoded from the verified outputs. */
#define MODEL_SELFTEST_TOLERANCE 1e-5f

typedef struct {
  int pictures;    /* that ran */
  int error;       /* what model_invoke returned for the picture after them; 0 if all ran */
  int different;   /* pictures with an output that differs by more than MODEL_SELFTEST_STEPS */
  int worst;       /* largest difference of an output */
  int same_answer; /* pictures whose decoded answer is the verified one */
  int misread;     /* pictures with the verified outputs, but another answer */
} model_selftest_result;

/* Run all golden pictures. Return 0 if all ran, and none is different or misread.
 *
 * `result` may be NULL. */
int model_selftest(model_selftest_result *result);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_SELFTEST_H_ */
