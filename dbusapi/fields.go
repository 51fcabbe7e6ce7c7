package dbusapi

import (
	"fmt"
	"reflect"
	"time"

	"github.com/godbus/dbus/v5"
)

// values are properties by name.
type values map[string]any

// variants wraps the values for a{sv}.
func (v values) variants() map[string]dbus.Variant {
	out := make(map[string]dbus.Variant, len(v))
	for name, value := range v {
		out[name] = dbus.MakeVariant(value)
	}
	return out
}

// loadAverage is how three of them travel.
type loadAverage struct{ One, Five, Fifteen float64 }

// eachProperty calls f for the fields of the struct at p that are properties, and for
// those of structs in it.
func eachProperty(p any, f func(name string, field any)) {
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		field, to := v.Type().Field(i), v.Field(i).Addr().Interface()
		_, moment := to.(*time.Time)
		switch {
		case field.Anonymous:
			eachProperty(to, f)
		case moment:
			f(field.Name+"USec", to)
		case field.Tag.Get("dbus") != "-":
			f(field.Name, to)
		}
	}
}

// valuesOf returns the properties in the struct at p.
func valuesOf(p any) values {
	all := values{}
	eachProperty(p, func(name string, field any) {
		switch field := field.(type) {
		case *time.Time:
			all[name] = uint64(max(field.UnixMicro(), 0))
		case *[3]float64:
			all[name] = loadAverage{field[0], field[1], field[2]}
		case *[]string:
			all[name] = append([]string{}, *field...)
		default:
			all[name] = reflect.ValueOf(field).Elem().Interface()
		}
	})
	return all
}

// received are properties as a server sent them.
type received map[string]dbus.Variant

// take stores a property. One that is not there, for the daemon is older, stays as it
// is.
func (r received) take(name string, into any) error {
	v, ok := r[name]
	if !ok {
		return nil
	}
	if err := v.Store(into); err != nil {
		return fmt.Errorf("property %s: %w", name, err)
	}
	return nil
}

// into fills in the properties in the struct at p: valuesOf's inverse. The error is
// about the first that is of another type than ours.
func (r received) into(p any) (failed error) {
	eachProperty(p, func(name string, field any) {
		var err error
		switch field := field.(type) {
		case *time.Time:
			var usec uint64
			err = r.take(name, &usec)
			*field = time.UnixMicro(int64(usec))
		case *[3]float64:
			var load loadAverage
			err = r.take(name, &load)
			*field = [3]float64{load.One, load.Five, load.Fifteen}
		default:
			err = r.take(name, field)
		}
		if failed == nil {
			failed = err
		}
	})
	return failed
}
