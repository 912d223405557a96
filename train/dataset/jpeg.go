package dataset

import "encoding/binary"

// scanJPEG reads what the decoder does not tell of a JPEG file from its
// beginning: the orientation that its EXIF data ask for, 1 to 8 (1 where there
// is none, or none that makes sense), and whether it is progressive, which takes
// more memory. It stops where the image's data begin.
func scanJPEG(b []byte) (orientation int, progressive bool) {
	orientation = 1
	if len(b) < 2 || b[0] != 0xff || b[1] != 0xd8 {
		return orientation, false
	}
	seen := false
	for b = b[2:]; ; {
		for len(b) > 1 && b[0] == 0xff && b[1] == 0xff { // fill bytes
			b = b[1:]
		}
		if len(b) < 4 || b[0] != 0xff {
			return orientation, progressive
		}
		marker, size := b[1], int(binary.BigEndian.Uint16(b[2:]))
		if marker >= 0xd0 && marker <= 0xd8 || marker == 0x01 { // these stand alone
			b = b[2:]
			continue
		}
		if marker == 0xd9 || marker == 0xda || size < 2 { // end of image, start of scan
			return orientation, progressive
		}
		body := b[4:min(len(b), 2+size)]
		switch {
		case marker == 0xc2:
			progressive = true
		case marker == 0xe1 && !seen && len(body) >= 6 && string(body[:6]) == "Exif\x00\x00":
			orientation, seen = exifOrientation(body[6:]), true
		}
		if len(b) < 2+size {
			return orientation, progressive
		}
		b = b[2+size:]
	}
}

// exifOrientation returns the orientation tag of EXIF data, a TIFF file: byte
// order, 42, offset of the first directory; that is a count and entries of 12
// bytes, {tag, type, number of values, value or offset} (TIFF 6.0, section 2;
// Exif 2.3, section 4.6.4).
func exifOrientation(b []byte) int {
	const orientation, short = 0x0112, 3
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(b[:2]) {
	case "II":
	case "MM":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(b[4:]))
	if order.Uint16(b[2:]) != 42 || at+2 > uint64(len(b)) {
		return 1
	}
	n := int(order.Uint16(b[at:]))
	for e := b[at+2:]; n > 0 && len(e) >= 12; n, e = n-1, e[12:] {
		if order.Uint16(e) != orientation || order.Uint16(e[2:]) != short || order.Uint32(e[4:]) != 1 {
			continue
		}
		if v := order.Uint16(e[8:]); v >= 1 && v <= 8 {
			return int(v)
		}
		return 1
	}
	return 1
}
