package imaging

import (
	"fmt"
	"image"
	"image/png"
	"io"

	"gantry/internal/atomicfile"
)

// WritePNG writes img to path through a temporary file and a rename. The bytes
// depend on img and on the release of Go alone.
func WritePNG(path string, img image.Image) error {
	return atomicfile.WriteFileAtomic(path, func(w io.Writer) error {
		if err := png.Encode(w, img); err != nil {
			return fmt.Errorf("imaging: %s: %w", path, err)
		}
		return nil
	})
}
