package action

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A codec converts values between one Go type and the canonical form. It is built
// when an action is declared, so that a call does not have to inspect types.
type codec struct {
	typ Type
	// decode sets dst from a value that was normalized before, so it cannot fail.
	decode func(v any, dst reflect.Value)
	encode func(src reflect.Value) any
}

var (
	durationGoType   = reflect.TypeFor[time.Duration]()
	credentialGoType = reflect.TypeFor[Credential]()
	textGoType       = reflect.TypeFor[Text]()
	anyGoType        = reflect.TypeFor[any]()
	objectGoType     = reflect.TypeFor[Object]()
	typeNamerType    = reflect.TypeFor[typeNamer]()
)

// codecOf builds the codec of a Go type. It panics on a type that the model of values
// does not have, since that is a mistake of the program.
func codecOf(t reflect.Type) codec {
	switch t {
	case durationGoType:
		return codec{
			Type{Name: DurationType},
			func(v any, dst reflect.Value) { d, _ := DurationOf(v); dst.SetInt(int64(d)) },
			func(src reflect.Value) any { return time.Duration(src.Int()).String() },
		}
	case credentialGoType:
		return codec{Type{Name: StringType, Credential: true}, decodeCredential, func(src reflect.Value) any { return src.Interface().(Credential).String() }}
	case textGoType:
		return codec{Type{Name: StringType, Secret: true}, decodeText, func(src reflect.Value) any { return src.Interface().(Text).String() }}
	case anyGoType:
		return codec{Type{Name: AnyType}, setValue, valueOrNil}
	case objectGoType:
		return codec{Type{Name: ObjectType}, setValue, valueOrNil}
	}
	switch t.Kind() {
	case reflect.String:
		return scalarCodec(StringType, reflect.Value.SetString, func(src reflect.Value) any { return src.String() })
	case reflect.Bool:
		return scalarCodec(BooleanType, reflect.Value.SetBool, func(src reflect.Value) any { return src.Bool() })
	case reflect.Int, reflect.Int64:
		return scalarCodec(IntegerType, func(dst reflect.Value, f float64) { dst.SetInt(int64(f)) }, func(src reflect.Value) any { return integerValue(src.Int()) })
	case reflect.Float64:
		return scalarCodec(NumberType, reflect.Value.SetFloat, func(src reflect.Value) any { return src.Float() })
	case reflect.Slice:
		return listCodec(codecOf(t.Elem()))
	case reflect.Map:
		panic(fmt.Sprintf("action: a map must be a map[string]any, not %s", t))
	case reflect.Struct:
		return structCodec(t)
	}
	panic(fmt.Sprintf("action: the type %s cannot be an input or an output", t))
}

// scalarCodec is the codec of a type whose canonical form is a T.
func scalarCodec[T any](name string, set func(reflect.Value, T), encode func(reflect.Value) any) codec {
	return codec{Type{Name: name}, func(v any, dst reflect.Value) {
		if x, ok := v.(T); ok {
			set(dst, x)
		}
	}, encode}
}

// integerValue keeps an integer that a float64 cannot hold exactly as text.
func integerValue(i int64) any {
	if i > maxExactInteger || i < -maxExactInteger {
		return strconv.FormatInt(i, 10)
	}
	return float64(i)
}

func decodeCredential(v any, dst reflect.Value) {
	switch v := v.(type) {
	case string:
		dst.Set(reflect.ValueOf(NewCredential(v)))
	case Secret:
		dst.Set(reflect.ValueOf(Credential{secret: v}))
	}
}

func decodeText(v any, dst reflect.Value) {
	switch v := v.(type) {
	case string:
		dst.Set(reflect.ValueOf(NewText(v)))
	case Secret:
		dst.Set(reflect.ValueOf(Text{secret: v}))
	}
}

// setValue sets a field of type any or Object, unless the value does not fit.
func setValue(v any, dst reflect.Value) {
	if value := reflect.ValueOf(v); v != nil && value.Type().AssignableTo(dst.Type()) {
		dst.Set(value)
	}
}

func valueOrNil(src reflect.Value) any {
	if src.IsNil() {
		return nil
	}
	return src.Interface()
}

func listCodec(elem codec) codec {
	return codec{
		typ: Type{Name: ListType, Elem: &elem.typ},
		decode: func(v any, dst reflect.Value) {
			items, _ := v.([]any)
			dst.Set(reflect.MakeSlice(dst.Type(), len(items), len(items)))
			for i, item := range items {
				elem.decode(item, dst.Index(i))
			}
		},
		encode: func(src reflect.Value) any {
			out := make([]any, src.Len())
			for i := range out {
				out[i] = elem.encode(src.Index(i))
			}
			return out
		},
	}
}

// structs holds the codecs of structs by their reflect.Type: many actions share the
// types of their inputs and outputs, and every start of a program declares all actions.
var structs sync.Map

// structCodec converts the exported fields of a struct, in order.
func structCodec(t reflect.Type) codec {
	if known, ok := structs.Load(t); ok {
		return known.(codec)
	}
	made := newStructCodec(t)
	structs.Store(t, made)
	return made
}

func newStructCodec(t reflect.Type) codec {
	schema, codecs, indexes := schemaOf(t)
	name := schema.Name
	if name == "" {
		name = ObjectType
	}
	return codec{
		typ: Type{Name: name, Fields: schema},
		decode: func(v any, dst reflect.Value) {
			o, _ := v.(Object)
			for i := range codecs {
				if field := o[schema.Fields[i].Name]; field != nil {
					codecs[i].decode(field, dst.FieldByIndex(indexes[i]))
				}
			}
		},
		encode: func(src reflect.Value) any {
			out := make(Object, len(codecs))
			for i := range codecs {
				field := src.FieldByIndex(indexes[i])
				if codecs[i].typ.Fields != nil && field.IsZero() {
					continue // an object that is not there: the field is absent, and not an object of empty texts
				}
				if v := codecs[i].encode(field); v != nil {
					out[schema.Fields[i].Name] = v
				}
			}
			return out
		},
	}
}

// A typeNamer is a struct that has a name in reference tables, such as "user".
type typeNamer interface{ TypeName() string }

// schemaOf reads the fields of a struct. As in Go, the fields of an embedded struct
// belong to the outer struct.
func schemaOf(t reflect.Type) (*Schema, []codec, [][]int) {
	schema := &Schema{}
	if t.Implements(typeNamerType) {
		schema.Name = reflect.Zero(t).Interface().(typeNamer).TypeName()
	}
	fields := fieldsOf(t)
	schema.Fields = make([]Field, 0, len(fields))
	codecs, indexes := make([]codec, 0, len(fields)), make([][]int, 0, len(fields))
	for i := range fields {
		f := &fields[i]
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || name == "-" {
			continue
		}
		if _, twice := schema.Field(name); twice {
			panic(fmt.Sprintf("action: %s has two fields %q", t, name))
		}
		c := codecOf(f.Type)
		schema.Fields = append(schema.Fields, fieldOf(t, f, name, c.typ))
		codecs = append(codecs, c)
		indexes = append(indexes, f.Index)
	}
	return schema, codecs, indexes
}

// fieldsOf returns the fields of a struct and of the structs that it embeds.
func fieldsOf(t reflect.Type) []reflect.StructField {
	fields := make([]reflect.StructField, t.NumField())
	for i := range fields {
		if fields[i] = t.Field(i); fields[i].Anonymous {
			return reflect.VisibleFields(t) // which is slower
		}
	}
	return fields
}

// fieldOf makes a field of a struct field and its tags, which [New] lists.
func fieldOf(owner reflect.Type, f *reflect.StructField, name string, t Type) Field {
	wrong := func(format string, args ...any) {
		panic(fmt.Sprintf("action: %s.%s: ", owner, f.Name) + fmt.Sprintf(format, args...))
	}
	if name == "" {
		wrong("there is no json tag")
	}
	left := strings.Count(string(f.Tag), `:"`) - 1 // tags that are not read yet; json is
	tag := func(name string) (text string, ok bool) {
		if left > 0 { // a look-up that fails reads the whole tag
			if text, ok = f.Tag.Lookup(name); ok {
				left--
			}
		}
		return text, ok
	}
	field := Field{Name: name, Type: t}
	field.Doc, _ = tag("doc")
	required, _ := tag("required")
	defaultText, hasDefault := tag("default")
	enum, hasEnum := tag("enum")
	secrets, _ := tag("secrets")
	exact, _ := tag("exact")
	field.Format, _ = tag("format")
	field.Required, field.Secrets = required == "true", secrets == "true"
	target, _ := tag("target")
	field.Exact, field.Target = exact == "true", target == "true"
	length := func(name string) int {
		text, ok := tag(name)
		if !ok {
			return 0
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			wrong("the tag %s:%q is not a number", name, text)
		}
		return n
	}
	field.MinLength, field.MaxLength = length("min"), length("max")
	if hasEnum {
		field.Enum = strings.Split(enum, ",")
	}
	if field.Format != "" && !slices.Contains(Formats(), field.Format) {
		wrong("there is no format %q", field.Format)
	}
	if constrained := len(field.Enum) > 0 || field.Format != "" || field.MinLength > 0 || field.MaxLength > 0; constrained && t.Name != StringType {
		wrong("enum, format, min and max are for strings")
	}
	if hasDefault {
		normal, problems := field.Normalize(defaultValue(t, defaultText))
		if len(problems) > 0 {
			wrong("the default does not fit: %v", problems)
		}
		field.Default = normal
	}
	return field
}

// defaultValue reads the text of a default tag. Text that is not a value of the type is
// returned as it is, and [Field.Normalize] then refuses it.
func defaultValue(t Type, text string) any {
	switch t.Name {
	case BooleanType:
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case IntegerType, NumberType:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	}
	return text
}
