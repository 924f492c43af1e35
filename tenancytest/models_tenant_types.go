package tenancytest

// Organization is a tenant type of an application's own.
type organization string

// textParent and the models around it: the tenant is a string.
type (
	textParent struct {
		ID       uint
		TenantID string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ParentData
		Boss     *textParent
		Country  *country
		Profile  *textProfile `gorm:"foreignKey:ParentID"`
		Children []textChild  `gorm:"foreignKey:ParentID"`
		Tags     []textTag    `gorm:"many2many:text_parent_tags;joinForeignKey:ParentID;joinReferences:TagID"`
	}
	textChild struct {
		ID       uint
		TenantID string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
		Parent *textParent
	}
	textProfile struct {
		ID       uint
		TenantID string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
	}
	textTag struct {
		ID       uint
		TenantID string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		TagData
	}
)

// namedParent and the models around it: the tenant has a type of its own.
type (
	namedParent struct {
		ID       uint
		TenantID organization `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ParentData
		Boss     *namedParent
		Country  *country
		Profile  *namedProfile `gorm:"foreignKey:ParentID"`
		Children []namedChild  `gorm:"foreignKey:ParentID"`
		Tags     []namedTag    `gorm:"many2many:named_parent_tags;joinForeignKey:ParentID;joinReferences:TagID"`
	}
	namedChild struct {
		ID       uint
		TenantID organization `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
		Parent *namedParent
	}
	namedProfile struct {
		ID       uint
		TenantID organization `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
	}
	namedTag struct {
		ID       uint
		TenantID organization `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		TagData
	}
)

// intParent and the models around it: the tenant is an int64.
type (
	intParent struct {
		ID       uint
		TenantID int64 `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ParentData
		Boss     *intParent
		Country  *country
		Profile  *intProfile `gorm:"foreignKey:ParentID"`
		Children []intChild  `gorm:"foreignKey:ParentID"`
		Tags     []intTag    `gorm:"many2many:int_parent_tags;joinForeignKey:ParentID;joinReferences:TagID"`
	}
	intChild struct {
		ID       uint
		TenantID int64 `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
		Parent *intParent
	}
	intProfile struct {
		ID       uint
		TenantID int64 `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
	}
	intTag struct {
		ID       uint
		TenantID int64 `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		TagData
	}
)

// uintParent and the models around it: the tenant is a uint.
type (
	uintParent struct {
		ID       uint
		TenantID uint `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ParentData
		Boss     *uintParent
		Country  *country
		Profile  *uintProfile `gorm:"foreignKey:ParentID"`
		Children []uintChild  `gorm:"foreignKey:ParentID"`
		Tags     []uintTag    `gorm:"many2many:uint_parent_tags;joinForeignKey:ParentID;joinReferences:TagID"`
	}
	uintChild struct {
		ID       uint
		TenantID uint `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
		Parent *uintParent
	}
	uintProfile struct {
		ID       uint
		TenantID uint `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
	}
	uintTag struct {
		ID       uint
		TenantID uint `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		TagData
	}
)

// pointerParent and the models around it: the tenant is a *string.
type (
	pointerParent struct {
		ID       uint
		TenantID *string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ParentData
		Boss     *pointerParent
		Country  *country
		Profile  *pointerProfile `gorm:"foreignKey:ParentID"`
		Children []pointerChild  `gorm:"foreignKey:ParentID"`
		Tags     []pointerTag    `gorm:"many2many:pointer_parent_tags;joinForeignKey:ParentID;joinReferences:TagID"`
	}
	pointerChild struct {
		ID       uint
		TenantID *string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
		Parent *pointerParent
	}
	pointerProfile struct {
		ID       uint
		TenantID *string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
	}
	pointerTag struct {
		ID       uint
		TenantID *string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		TagData
	}
)
