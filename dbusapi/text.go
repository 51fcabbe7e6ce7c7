package dbusapi

import (
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/godbus/dbus/v5"
)

// A string on the bus is UTF-8, and the bus drops who sends another one; names of
// cgroups and paths are any bytes. Each byte of theirs that is not UTF-8 travels as
// a character of its own, U+10FE80 to U+10FEFF for 0x80 to 0xFF: of a private area,
// where nobody has text, so that all else stays as it is, systemd's names with their
// backslashes, too. Such a character in a name travels as its four bytes do. So
// DecodeText has every name back.
const (
	firstByte = 0x10FE00 // + the byte
	leastByte = 0x80
	mostByte  = 0xFF
)

// EncodeText returns s as it is said on the bus. It is s itself but for a string
// that is not UTF-8.
func EncodeText(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, isByte) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 || isByte(r) {
			for i := range size {
				b.WriteRune(firstByte + rune(s[i]))
			}
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// DecodeText undoes EncodeText.
func DecodeText(s string) string {
	if !strings.ContainsFunc(s, isByte) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isByte(r) {
			b.WriteByte(byte(r - firstByte))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isByte: the character stands for a byte.
func isByte(r rune) bool { return r >= firstByte+leastByte && r <= firstByte+mostByte }

// Encoded returns a copy of a value with all its strings encoded, for JSON: that has
// no other strings than UTF-8, either.
func Encoded[T any](v T) T { return encodeAny(v).(T) }

// encodeAll encodes all strings in what is to be sent: the one way to the bus.
func encodeAll(body []any) []any {
	out := make([]any, len(body))
	for i, v := range body {
		out[i] = encodeAny(v)
	}
	return out
}

func encodeAny(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return EncodeText(v)
	case dbus.Variant:
		return dbus.MakeVariantWithSignature(encodeAny(v.Value()), v.Signature())
	case dbus.ObjectPath, dbus.Signature, []byte:
		return v
	}
	return encodeValue(reflect.ValueOf(v)).Interface()
}

// encodeValue returns a copy of a value whose strings are encoded, or the value
// itself where it can't hold any.
func encodeValue(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			return reflect.ValueOf(EncodeText(v.String()))
		}
	case reflect.Interface:
		if !v.IsNil() {
			return reflect.ValueOf(encodeAny(v.Interface()))
		}
	case reflect.Slice:
		return encodeSlice(v)
	case reflect.Map:
		return encodeMap(v)
	case reflect.Struct:
		return encodeStruct(v)
	}
	return v
}

func encodeSlice(v reflect.Value) reflect.Value {
	if v.IsNil() || !holdsText(v.Type().Elem()) {
		return v
	}
	out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	for i := range v.Len() {
		out.Index(i).Set(encodeValue(v.Index(i)))
	}
	return out
}

func encodeMap(v reflect.Value) reflect.Value {
	if v.IsNil() {
		return v
	}
	out := reflect.MakeMapWithSize(v.Type(), v.Len())
	for entries := v.MapRange(); entries.Next(); {
		out.SetMapIndex(encodeValue(entries.Key()), encodeValue(entries.Value()))
	}
	return out
}

// encodeStruct leaves alone what has fields of its own, such as a time.
func encodeStruct(v reflect.Value) reflect.Value {
	if variant, ok := v.Interface().(dbus.Variant); ok {
		return reflect.ValueOf(encodeAny(variant))
	}
	out := reflect.New(v.Type()).Elem()
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			return v
		}
		out.Field(i).Set(encodeValue(v.Field(i)))
	}
	return out
}

// holdsText: values of the type may have strings in them.
func holdsText(t reflect.Type) bool {
	return t.Kind() == reflect.String || t.Kind() >= reflect.Array && t.Kind() <= reflect.Struct
}
