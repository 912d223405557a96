package main

// The help of gantrain eval. Tests hold it against the flags.
const evalUsage = `gantrain eval METRIC RUN|MODEL.onnx     measure a generator, of any origin

  parzen     log-likelihood of test images, by the protocol of the 2014 paper
  frechet    Fréchet distance between features of samples and of data
  kid        kernel distance between them: unbiased, for few samples
  prdc       precision and recall, density and coverage of samples among data
  modes      modes of ring or grid that samples hit (PacGAN's protocol)

gantrain eval METRIC --help says what each one takes and means. A generator is
an ONNX file with one input of latents, float32 [N nz]; of a run, the one that
it left in its directory.

Examples
  gantrain eval parzen runs/first
  gantrain eval frechet runs/first --count 2000
  gantrain eval prdc g.onnx --json
`

// evalCommon are the flags of every metric but --count.
const evalCommon = `  --seed S          samples 0 to N-1 of this seed (0)
  --threads T       threads (as many as there are processors)
  --json            one line of JSON
`

// evalOnFeatures are the flags of metrics on features.
const evalOnFeatures = `  --data mnist|PATH|idx:DIR   images to compare with (mnist): the test images of
                    mnist and of IDX files, all images of a folder
  --resize N        side that images are cropped and scaled to, as in training
  --features FILE.onnx[:OUTPUT]   the network that makes features of images, and
                    an output of it: left out, the one called "features", or the
                    first. With mnist, the network may be left out, too: then it
                    is a small classifier of digits, right about 99.5 % of them
  --features-range LO,HI   what it takes pixels 0 and 255 to be (0,1)
  --count N         samples, and at most as many images (10000)
` + evalCommon + `
Any network with an input float32 [N C H W] will do, but each gives other
numbers: compare only those with the same features and count. They are not the
FID, which is made with Inception's features.
`

const evalParzenUsage = `gantrain eval parzen RUN|MODEL.onnx     log-likelihood of test images, in nats

  --data mnist|idx:DIR   images to test on, and training images (mnist)
  --resize N        side that images are cropped and scaled to, as in training
  --count N         samples (10000)
` + evalCommon + `
A Gaussian around each sample; sigma is the one of ten from 0.1 to 1 under which
1,000 held-out training images are the likeliest; then the mean over all test
images, with its standard error. So did the paper of 2014: 225 ± 2 on MNIST.
More is better, but it may tell little of what samples look like.

Examples
  gantrain eval parzen runs/first
  gantrain eval parzen g.onnx --data mnist --count 10000 --seed 1
  gantrain eval parzen g.onnx --json
`

const evalFrechetUsage = `gantrain eval frechet RUN|MODEL.onnx     Fréchet distance of features

` + evalOnFeatures + `
Features are taken to be normally distributed, and the distance is that between
the two distributions: 0 is the best, and fewer samples make it larger.

Examples
  gantrain eval frechet runs/first
  gantrain eval frechet g.onnx --data mnist --json
  gantrain eval frechet faces.onnx --data faces --features resnet.onnx:pool
`

const evalKIDUsage = `gantrain eval kid RUN|MODEL.onnx     kernel distance of features

` + evalOnFeatures + `
The squared maximum mean discrepancy under a cubic kernel, without bias: the
mean over 100 subsets of 1,000, and their standard deviation. 0 is the best.

Examples
  gantrain eval kid runs/first
  gantrain eval kid g.onnx --count 2000 --json
  gantrain eval kid faces.onnx --data faces --features resnet.onnx:pool
`

const evalPRDCUsage = `gantrain eval prdc RUN|MODEL.onnx     precision, recall, density and coverage

` + evalOnFeatures + `
Precision: share of samples among the data; recall: share of data among the
samples; density and coverage say the same, less moved by outliers. "Among" is
nearer to one of them than its 5th nearest neighbour is. 1 is the best.

Examples
  gantrain eval prdc runs/first
  gantrain eval prdc g.onnx --count 2000 --json
  gantrain eval prdc faces.onnx --data faces --features resnet.onnx:pool
`

const evalModesUsage = `gantrain eval modes RUN|MODEL.onnx --data ring|grid     modes that samples hit

  --data ring|grid  8 Gaussians on a circle, or 25 on a grid
  --count N         samples (2500)
` + evalCommon + `
A sample within three standard deviations of the nearest mode is of high
quality, and a mode with such a sample is hit. The reverse KL is that of their
shares from equal ones: 0 is the best.

Examples
  gantrain eval modes runs/ring --data ring
  gantrain eval modes g.onnx --data grid --count 2500 --seed 1
  gantrain eval modes g.onnx --data grid --json
`
