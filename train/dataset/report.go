package dataset

// A Report says how a data set came about.
type Report struct {
	Kind    string         // "folder", "zip", "CIFAR-10", "IDX", "points" or "memory"
	Images  int            // that are used, mirror images not counted
	Mirror  bool           // each image is there a second time, mirrored
	Grey    bool           // no image has colour
	Sizes   map[[2]int]int // how many images have which {width, height} in their files
	Classes []string       // names of the classes that labels count; nil if they have none
	Skipped []Skipped      // files that should be images, and cannot be used
	Ignored int            // files that are no images by their names
	Memory  int64          // bytes of memory that the images take
	Cache   string         // file that holds the pixels; "" if there is none
	Disk    int64          // bytes of that file
	Notes   []string       // what else happened
}

// Skipped is a file that is not used.
type Skipped struct {
	Name   string // path below the folder, with slashes
	Reason string
}
