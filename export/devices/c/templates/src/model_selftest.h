/* A test that this device computes the verified scores. Written by mobilenet_tf. */
#ifndef MODEL_SELFTEST_H_
#define MODEL_SELFTEST_H_

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int pictures;   /* that ran */
  int error;      /* what model_invoke returned for the picture after them; 0 if all ran */
  int different;  /* pictures with a score other than the verified one */
  int worst;      /* largest difference of a score */
  int same_class; /* pictures with the verified first class */
} model_selftest_result;

/* Run all golden pictures. Return 0 if all scores are the verified ones. `result` may be NULL. */
int model_selftest(model_selftest_result *result);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_SELFTEST_H_ */
