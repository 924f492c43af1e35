package tenancytest

import "gorm.io/gorm"

// beforeParent and the models around it: DeletedAt comes before the tenant.
type (
	beforeParent struct {
		ID        uint
		DeletedAt gorm.DeletedAt
		TenantID  string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ParentData
		Boss     *beforeParent
		Country  *country
		Profile  *beforeProfile `gorm:"foreignKey:ParentID"`
		Children []beforeChild  `gorm:"foreignKey:ParentID"`
		Tags     []beforeTag    `gorm:"many2many:before_parent_tags;joinForeignKey:ParentID;joinReferences:TagID"`
	}
	beforeChild struct {
		ID        uint
		DeletedAt gorm.DeletedAt
		TenantID  string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
		Parent *beforeParent
	}
	beforeProfile struct {
		ID        uint
		DeletedAt gorm.DeletedAt
		TenantID  string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
	}
	beforeTag struct {
		ID        uint
		DeletedAt gorm.DeletedAt
		TenantID  string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		TagData
	}
)

// afterParent and the models around it: DeletedAt comes after the tenant.
type (
	afterParent struct {
		ID        uint
		TenantID  string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		DeletedAt gorm.DeletedAt
		ParentData
		Boss     *afterParent
		Country  *country
		Profile  *afterProfile `gorm:"foreignKey:ParentID"`
		Children []afterChild  `gorm:"foreignKey:ParentID"`
		Tags     []afterTag    `gorm:"many2many:after_parent_tags;joinForeignKey:ParentID;joinReferences:TagID"`
	}
	afterChild struct {
		ID        uint
		TenantID  string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		DeletedAt gorm.DeletedAt
		ChildData
		Parent *afterParent
	}
	afterProfile struct {
		ID        uint
		TenantID  string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		DeletedAt gorm.DeletedAt
		ChildData
	}
	afterTag struct {
		ID        uint
		TenantID  string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		DeletedAt gorm.DeletedAt
		TagData
	}
)
