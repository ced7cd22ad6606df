/* A test that this device computes the verified outputs. Written by mobilenet_tf. */
#ifndef MODEL_SELFTEST_H_
#define MODEL_SELFTEST_H_

/* Runs the model on every golden picture. Call runner_begin() first. Returns 0 on success, or the
 * number (from 1) of the first picture that could not be run or whose output differs by more than
 * one integer step. */
int model_selftest(void);

#endif /* MODEL_SELFTEST_H_ */
