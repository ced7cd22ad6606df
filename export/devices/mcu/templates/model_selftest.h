/* A test that this device computes the verified outputs. Written by mobilenet_tf. */
#ifndef MODEL_SELFTEST_H_
#define MODEL_SELFTEST_H_

#ifdef __cplusplus
extern "C" {
#endif

/* Kernels round differently: the reference kernels need 0, others were seen to differ by 1. */
#ifndef MODEL_SELFTEST_STEPS
#define MODEL_SELFTEST_STEPS 1
#endif

typedef struct {
  int pictures;   /* that ran; fewer than MODEL_GOLDEN_COUNT if one did not */
  int worst;      /* largest difference of an output from the verified one, in integer steps */
  int same_class; /* pictures with the verified first class: the place of the last output's largest
                     value */
} model_selftest_result;

/* Run the model on every golden picture. Call model_runner_begin() first.
 *
 * Return 0 if all ran and differ by at most MODEL_SELFTEST_STEPS. `result` may be NULL. */
int model_selftest(model_selftest_result *result);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_SELFTEST_H_ */
