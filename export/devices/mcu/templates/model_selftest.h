/* Whether this device computes what was proven. Written by mobilenet_tf. */
#ifndef MODEL_SELFTEST_H_
#define MODEL_SELFTEST_H_

/* Run every golden picture after runner_begin(). Returns 0, or the number, from 1, of the first
 * picture whose output is more than one integer step away, or which did not run. */
int model_selftest(void);

#endif /* MODEL_SELFTEST_H_ */
